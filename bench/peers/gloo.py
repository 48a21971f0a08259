"""The time of an all-reduce of 1e3, 1e5 and 1e7 float32 numbers by two processes over gloo, beside
bench/src/ranks/all-reduce.mjs: `python bench/peers/gloo.py`."""

import statistics
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def work(rank: int, file: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=rank, world_size=2)
    for numbers, times in ((1_000, 200), (100_000, 100), (10_000_000, 7)):
        values = torch.zeros(numbers)
        seconds = []
        for i in range(times + 1):
            dist.barrier()
            began = time.perf_counter()
            dist.all_reduce(values)
            if i > 0:
                seconds.append(time.perf_counter() - began)
        if rank == 0:
            print(f"gloo {numbers} numbers: {1000 * statistics.median(seconds):.3f} ms", flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(work, args=(f"{folder}/meeting",), nprocs=2)

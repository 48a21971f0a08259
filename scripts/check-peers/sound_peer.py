"""What the official audio-visual code makes of a recording: librosa's short-time transform of three seconds at 22,050 Hz.

Its loader reads a wav file at 22,050 Hz, repeats it three times, cuts it to three seconds and to -1 ... 1, and takes the logarithm
of the transform's magnitudes plus 1e-7, in windows of 512 every 353 samples (OGM-GE's CramedDataset and its followers).
"""

import json
import sys
import tempfile
import wave

import librosa
import numpy as np


def made_samples(length, quiet):
    """16-bit noise by integers alone, so that every language makes the same; its loudness goes up and down."""
    state, samples = 1, []
    for n in range(length):
        state = (75 * state + 74) % 65537
        loud = 1 + (n // 1000) % 8
        samples.append((state - 32768) * loud // (8 * quiet))
    return np.clip(samples, -32768, 32767).astype(np.int16)


def spectrogram(samples, rate):
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        with wave.open(file.name, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(rate)
            sound.writeframes(samples.tobytes())
        signal, _ = librosa.load(file.name, sr=22050)
    three = np.clip(np.tile(signal, 3)[: 3 * 22050], -1, 1)
    return np.log(np.abs(librosa.stft(three, n_fft=512, hop_length=353)) + 1e-7)


recorded = json.load(open(sys.argv[-1]))
cases = []
for case in recorded["cases"]:
    values = spectrogram(made_samples(case["length"], case["quiet"]), case["rate"])
    columns = {str(k): [round(float(v), 5) for v in values[:, k]] for k in case["columns"]}
    found = {"shape": list(values.shape), "columns": columns}
    cases.append({**{k: v for k, v in case.items() if k != "found"}, "found": found})
print(json.dumps({"cases": cases}))

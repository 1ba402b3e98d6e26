"""Runs an exported network: a line with a batch and seconds is answered by the median seconds of a run."""
import statistics
import sys
import time

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(sys.argv[2])
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
shape = session.get_inputs()[0].shape[1:]
for line in sys.stdin:
    batch, budget = line.split()
    inputs = {"input": np.random.default_rng(1).random((int(batch), *shape)).astype(np.float32)}
    session.run(["output"], inputs)
    times, end = [], time.perf_counter() + float(budget)
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        session.run(["output"], inputs)
        times.append(time.perf_counter() - start)
    # Its threads keep spinning for a moment.
    time.sleep(0.1)
    print(statistics.median(times), flush=True)

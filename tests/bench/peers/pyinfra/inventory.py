"""The hosts, as the benchmark names them: NAME=ADDRESS, separated by commas."""

import os

hosts = [
    (name, {"ssh_hostname": address})
    for name, _, address in (pair.partition("=") for pair in os.environ["BENCH_HOSTS"].split(","))
]

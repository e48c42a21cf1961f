"""Run a command as a process of its own, and print how long it took and the most memory it held: JSON on the last line of stderr.

Small on purpose, and started without site packages: the system counts what a process held before it turned into another one, and
so a command that was started by a large process would seem as large.
"""

import json
import os
import resource
import subprocess
import sys
import time

if __name__ == "__main__":
    begun = time.perf_counter()
    code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL).returncode
    seconds = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 1 if sys.platform == "darwin" else 1024
    figures = {"seconds": seconds, "peak": used.ru_maxrss * unit, "cpu": used.ru_utime + used.ru_stime, "code": code}
    os.write(2, ("\n" + json.dumps(figures) + "\n").encode())

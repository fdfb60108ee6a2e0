"""One envelope of the `orders` table in Avro: our encoder and avro-c, three times; both must write the same bytes."""

import re
import statistics
import subprocess
import sys

import report
import rig

LINE = re.compile(r"ours (\d+) ns, avro-c (\d+) ns, (\d+) bytes each, (identical|DIFFERENT)")


def main():
    done = subprocess.run([rig.tool("encode")], capture_output=True, text=True, check=True)
    runs = [(int(ours), int(theirs), int(size), same) for ours, theirs, size, same in LINE.findall(done.stdout)]
    if not runs or any(same != "identical" for *_, same in runs):
        sys.exit(f"the encoders do not agree:\n{done.stdout}")
    ratio = round(statistics.median(theirs / ours for ours, theirs, *_ in runs), 1)
    report.table(
        [
            ("schemas/avro/avro_encode", *(ours for ours, *_ in runs)),
            ("avro-c", *(theirs for _, theirs, *_ in runs)),
        ],
        (f"ns per envelope ({runs[0][2]} bytes)", *(f"run {number + 1}" for number in range(len(runs)))),
    )
    print(f"avro-c over ours {ratio}; the bytes are identical")
    result = {"ours_ns": [run[0] for run in runs], "avro_c_ns": [run[1] for run in runs], "ratio": ratio}
    report.report("encode", {**result, "bytes": runs[0][2]})


if __name__ == "__main__":
    main()

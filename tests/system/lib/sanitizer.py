"""Reports of ASan, LSan and UBSan: every process that a test starts writes its own file, where we look."""

import atexit
import glob
import os
import shutil
import tempfile

_SUPPRESSIONS = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "lsan.supp"))


def _folder():
    """Made once for each process of pytest; the environment passes it on to all that is started."""
    path = tempfile.mkdtemp(prefix="millrace-reports-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    kept = f"log_path={path}/report"
    os.environ["ASAN_OPTIONS"] = f"{kept}:detect_leaks=1:strict_string_checks=1:quarantine_size_mb=16"
    os.environ["UBSAN_OPTIONS"] = f"{kept}:print_stacktrace=1"
    os.environ["LSAN_OPTIONS"] = f"suppressions={_SUPPRESSIONS}:print_suppressions=0"
    return path


_PATH = _folder()


class Reports:
    """Those that come from now on."""

    def __init__(self):
        self.before = set(self._files())

    @staticmethod
    def _files():
        return glob.glob(os.path.join(_PATH, "report.*"))

    def collect(self):
        """The text of all new reports, empty when there is none."""
        texts = []
        for path in sorted(set(self._files()) - self.before):
            with open(path, errors="replace") as file:
                texts.append(file.read())
        return "\n".join(texts)

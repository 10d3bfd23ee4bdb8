"""What the mark costs clips of countermark-tiny, and whether it survives a platform: CRF 23.

    python -m benchmarks.tiny_mark

Four prompts. VMAF of the clip as it is released, with and without the mark, against a lossless
encode of the same frames; then the marked one is re-encoded with x264's own default quality and
searched. Needs the extra `generate`.
"""

import tempfile
from pathlib import Path

from benchmarks.protect_clips import LIMITS, vmaf
from benchmarks.stamp import keep
from generator.models import GenerationRequest
from generator.models.shipped import DIGEST, folder
from generator.models.wan import WanModel, load
from generator.presets import tiny
from provenance.clip import MappedClip, StillClip
from provenance.payload import MarkId
from provenance.video import Encoding, open_video, write_video
from provenance.watermark.tile import open_watermarker

PROMPTS = (
    "a big yellow circle on a blue background",
    "a small red square standing still on a white background",
    "a big green star moving left on a purple background",
    "a black triangle on a yellow background",
)
LOSSLESS, RELEASE, PLATFORM = Encoding(crf=0), Encoding(), Encoding(crf=23)
MARK_ID = MarkId(0x0123456789ABCDEF)


def main() -> None:
    model = load(folder(), tiny(), digest=DIGEST)
    keep({"clips": {prompt: measure(model, prompt) for prompt in PROMPTS}}, "torch", "diffusers")


def measure(model: WanModel, prompt: str) -> dict[str, object]:
    """Return quality with and without the mark, and what is read after re-encoding."""
    asked = tiny().limits
    request = GenerationRequest(
        prompt, "", asked.width, asked.height, asked.frames, asked.fps, asked.steps, seed=7
    )
    frames = model.generate(request, on_step=lambda _: None).frames
    clip, marker = StillClip(frames, asked.fps), open_watermarker(bytes(range(32)))
    with tempfile.TemporaryDirectory() as name:
        original, plain, marked, copy = (
            Path(name) / f"{kind}.mp4" for kind in ("original", "plain", "marked", "copy")
        )
        write_video(clip, original, LOSSLESS)
        write_video(clip, plain, RELEASE)
        write_video(MappedClip(clip, lambda f: marker.embed(f, MARK_ID)), marked, RELEASE)
        write_video(open_video(marked, LIMITS), copy, PLATFORM)
        found = marker.detect(open_video(copy, LIMITS).luma())
        rate = clip.shape.frame_rate
        unmarked_vmaf, marked_vmaf = vmaf(original, plain, rate), vmaf(original, marked, rate)
    return {
        "vmaf_unmarked": unmarked_vmaf,
        "vmaf_marked": marked_vmaf,
        "vmaf_lost_to_the_mark": round(unmarked_vmaf - marked_vmaf, 2),
        "right_mark_after_crf_23": found.mark_id == MARK_ID,
        "statistic_after_crf_23": round(found.statistic, 1),
    }


if __name__ == "__main__":
    main()

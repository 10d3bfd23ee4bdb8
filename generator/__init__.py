"""Run the journey from a prompt to a released, marked, signed and recorded clip.

Open `pipeline.py` first: the whole journey on one screen.
"""

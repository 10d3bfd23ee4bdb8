"""Put origin into a clip and read it back: watermark, Content Credentials, fingerprints.

Open `examination.py` first: everything that can be read from one file, in one place.
"""

"""What happened, and is this clip ours: the ledger, its proofs, and the verifier.

Open `verifier.py` first: the numbered procedure behind `countermark verify`.
"""

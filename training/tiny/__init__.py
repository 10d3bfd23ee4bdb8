"""The training of countermark-tiny on clips that it draws; open `train.py` first."""

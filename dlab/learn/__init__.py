"""Learning a score from samples: the trainer, a network for few dimensions, and checkpoints of both."""

from dlab.learn.checkpoint import Checkpoint, packed, unpacked
from dlab.learn.net import Perceptron, perceptron
from dlab.learn.train import METHODS, Trained, losses, train

__all__ = ["METHODS", "Checkpoint", "Perceptron", "Trained", "losses", "packed", "perceptron", "train", "unpacked"]

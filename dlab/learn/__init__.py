"""Learning a score from samples: the trainer, a network for few dimensions, and checkpoints of both."""

from dlab.learn.checkpoint import Checkpoint, packed, unpacked
from dlab.learn.net import TIMES, Perceptron, perceptron
from dlab.learn.train import METHODS, Trained, begin, held_loss, losses, train

__all__ = ["METHODS", "TIMES", "Checkpoint", "Perceptron", "Trained", "begin", "held_loss", "losses", "packed", "perceptron", "train", "unpacked"]

"""Pictures of runs, by kind of problem: the learning curve, and what `replay` makes of a champion.

`PICTURES` maps the name of a kind (`evo.config.kinds`) to its pictures; a kind without an entry has a learning curve.
"""

from pathlib import Path

from evo.config.kinds import ProblemKind
from evo.runs.pictures.control import Films
from evo.runs.pictures.function import Maps
from evo.runs.pictures.network import STILLS, NetworkPictures
from evo.runs.pictures.pictures import Pictures, Wishes
from evo.runs.pictures.supervised import AnswerPictures

__all__ = ["PICTURES", "NetworkPictures", "Pictures", "Wishes", "pictures_of", "replay_pictures"]

PICTURES: dict[str, Pictures] = {"world": Films(), "function": Maps(), "data set": AnswerPictures()}


def replay_pictures(kind: ProblemKind, network: bool, out: Path | None) -> Pictures:
    """Return the pictures that `replay` makes; network: whether the network is asked for. out: the user's file."""
    pictures = pictures_of(kind)
    alone = not isinstance(pictures, Films) or (out is not None and out.suffix.lower() in STILLS)
    return NetworkPictures() if network and alone else pictures


def pictures_of(kind: ProblemKind) -> Pictures:
    """Return the pictures of a kind of problem."""
    return PICTURES.get(kind.name, Pictures())

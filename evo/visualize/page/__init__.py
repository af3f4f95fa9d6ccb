"""Page: recorded creatures in one HTML file that can be turned around, played and scrubbed, and fetches nothing."""

from evo.visualize.page.document import document, inline
from evo.visualize.page.episode import Episode, record_episode
from evo.visualize.page.scene import Creature, Curve, describe_scene, drawn_geoms

__all__ = ["Creature", "Curve", "Episode", "describe_scene", "document", "drawn_geoms", "inline", "record_episode"]

"""Page: recorded creatures in one HTML file that can be turned around, played and scrubbed, and fetches nothing."""

from evo.visualize.page.activity import Activity, Plan, plan, record_activity
from evo.visualize.page.atlas import Map, atlas_document
from evo.visualize.page.document import curve_to_json, document, inline, lane_of, live_document, to_json
from evo.visualize.page.episode import Episode, record_episode, thin
from evo.visualize.page.gallery import Exhibit, gallery_document
from evo.visualize.page.scene import Creature, Curve, describe_scene, drawn_geoms

__all__ = [
    "Activity",
    "Creature",
    "Curve",
    "Episode",
    "Exhibit",
    "Map",
    "Plan",
    "atlas_document",
    "curve_to_json",
    "describe_scene",
    "document",
    "drawn_geoms",
    "gallery_document",
    "inline",
    "lane_of",
    "live_document",
    "plan",
    "record_activity",
    "record_episode",
    "thin",
    "to_json",
]

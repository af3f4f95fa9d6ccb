"""Panels: a picture under a band that names what is in it and shows its progress."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from evo.errors import printable
from evo.visualize.encoding import Frame

_BAND, _TEXT, _FAINT = (22, 29, 39), (255, 255, 255), (158, 170, 184)
_LEAST, _MOST = 9, 28  # pixels, of letters
_ELLIPSIS = "…"


@dataclass(frozen=True)
class Standing:
    """Contents of the band.

    name, note: of who is shown; cut where they do not fit. time, earned, distance: so far; distance is None where the
    creature cannot leave its place. widest: the widest text that `earned` becomes, so that nothing beside it moves.
    ending: why it stands still, or None.
    """

    name: str
    note: str
    colour: str
    time: str
    earned: str
    widest: str
    distance: str | None
    ending: str | None


def picture_height(width: int, height: int) -> int:
    """Return the height of the picture in a panel of this size, pixels."""
    return height - _band_height(_letters(width, height))


def draw_panel(picture: Frame, height: int, standing: Standing) -> Frame:
    """Return a picture under its band.

    The band is above, because a player's controls cover the bottom.

    Args:
        picture: [picture_height(width, height), width, 3] uint8.
        height: of the panel, pixels.
        standing: what the band says.

    Returns:
        [height, width, 3] uint8.
    """
    width = picture.shape[1]
    large = _letters(width, height)
    small, band = round(0.78 * large), _band_height(large)
    panel = Image.new("RGB", (width, height), _BAND)
    shown = Image.fromarray(picture)
    panel.paste(shown if standing.ending is None else _veil(shown, standing.ending, large), (0, band))
    draw = ImageDraw.Draw(panel)
    big, fine = ImageFont.load_default(size=large), ImageFont.load_default(size=small)
    stripe = max(round(0.4 * large), 3)
    draw.rectangle((0, 0, stripe - 1, band - 1), fill=standing.colour)
    left, right = stripe + round(0.6 * large), width - round(0.6 * large)
    first, second, gap = round(1.3 * large), round(2.55 * large), 0.6 * large

    room = right - left - draw.textlength(standing.widest, font=big) - gap
    name = _cut(standing.name, room, big)
    draw.text((left, first), name, font=big, fill=_TEXT, anchor="ls")
    after = draw.textlength(name, font=big) + gap
    draw.text((left + after, first), _cut(standing.note, room - after, fine), font=fine, fill=_FAINT, anchor="ls")
    draw.text((right, first), standing.earned, font=big, fill=_TEXT, anchor="rs")
    draw.text((right, second), "return", font=fine, fill=_FAINT, anchor="rs")
    draw.text((left, second), standing.time, font=fine, fill=_TEXT, anchor="ls")
    if standing.distance is not None:
        draw.text((left + 4.6 * small, second), standing.distance, font=fine, fill=_TEXT, anchor="ls")
    return np.asarray(panel)


def _letters(width: int, height: int) -> int:
    """Return the height of the band's letters in a panel of this size, pixels."""
    return min(max(round(min(width / 18, height / 15)), _LEAST), _MOST)


def _band_height(letters: int) -> int:
    return round(3.1 * letters) // 2 * 2


def _cut(text: str, room: float, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Return the text on one line, or what of its beginning fits into `room` pixels with an ellipsis; "" for none."""
    text = printable(text)
    if font.getlength(text) <= room:
        return text
    kept = text
    while kept and font.getlength(kept + _ELLIPSIS) > room:
        kept = kept[:-1].rstrip()
    return kept + _ELLIPSIS if kept else ""


def _veil(picture: Image.Image, words: str, size: int) -> Image.Image:
    """Return the picture darkened, with the reason why it stands still."""
    veiled = Image.blend(picture, Image.new("RGB", picture.size, _BAND), 0.45)
    draw, font = ImageDraw.Draw(veiled), ImageFont.load_default(size=size)
    x, y, half = picture.width / 2, 0.16 * picture.height, 0.5 * draw.textlength(words, font=font) + 0.7 * size
    draw.rounded_rectangle((x - half, y - 0.85 * size, x + half, y + 0.85 * size), radius=0.85 * size, fill=_BAND)
    draw.text((x, y), words, font=font, fill=_TEXT, anchor="mm")
    return veiled

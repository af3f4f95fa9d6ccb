"""Extensions of pictures' files; the command line reads them at its start, so this file imports nothing."""

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")

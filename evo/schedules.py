def schedule_named(name):
    import math

    if name == "linear":
        return lambda s: 1.0 - s
    if name == "cosine":
        return lambda s: 0.5 * (1 + math.cos(math.pi * s))
    return lambda share: 1.0

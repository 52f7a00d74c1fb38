"""The solids of what a person carries or rides: bags with their straps, and a bicycle."""

from reidlib.data.walkers.body import AVERAGE_HEIGHT, Body
from reidlib.data.walkers.skeleton import Lengths
from reidlib.data.walkers.solids import CARRIED, Builder, Cloth
from reidlib.data.walkers.wardrobe import Outfit


def add_bags(build: Builder, body: Body, outfit: Outfit, size: Lengths) -> None:
    """Add the backpack, the shoulder bag (at the right hip) and the hand bag (in the left hand) of `outfit`."""
    k, t = body.height / AVERAGE_HEIGHT, size.trunk
    g = k * body.trunk_girth * outfit.top_padding * (1.09 if outfit.coat else 1.0)
    front, back = 0.112 * g, -0.115 * g
    if outfit.backpack:
        pack = build.on("chest", CARRIED, Cloth(outfit.backpack_rgb, folds=0.4))
        pack.tube((0, 0.60 * t, back - 0.055), (0, -0.10 * t, back - 0.075), 0.135 * k, 0.095, (0.82, 1.06, 1.0))
        pack.tube((0, 0.24 * t, back - 0.13), (0, -0.06 * t, back - 0.14), 0.105 * k, 0.07, (0.9, 1.0, 0.95))
        for x in (0.55 * size.half_shoulders, -0.55 * size.half_shoulders):
            pack.tube((x, 0.70 * t, 0.0), (1.1 * x, 0.36 * t, front), 0.026, 0.022)
            pack.tube((1.1 * x, 0.36 * t, front), (1.6 * x, 0.12 * t, 0.03), 0.022, 0.022)
            pack.tube((x, 0.70 * t, 0.02), (x, 0.55 * t, back), 0.026, 0.022)
    if outfit.shoulder_bag:
        cloth = Cloth(outfit.shoulder_bag_rgb, folds=0.3)
        x, shoulder = -(0.175 * k * body.hip_width + 0.045), 0.5 * size.half_shoulders
        bag, strap = build.on("pelvis", CARRIED, cloth), build.on("chest", CARRIED, cloth)
        bag.tube((x, 0.14 * k, 0.0), (x - 0.01, -0.15 * k, 0.0), 0.055, 0.15 * k, (0.86, 1, 1.0))
        for z in (front, back):
            strap.tube((shoulder, 0.69 * t, 0.4 * z), (0.1 * x, 0.32 * t, 1.2 * z), 0.022, 0.020)
            strap.tube((0.1 * x, 0.32 * t, 1.2 * z), (x, -0.16 * t, 0.35 * z), 0.022, 0.020)
    if outfit.hand_bag:
        bag = build.on("bag", CARRIED, Cloth(outfit.hand_bag_rgb, folds=0.3))
        bag.tube((0, -0.09, 0), (0, -0.36 * k, 0), 0.055, 0.16 * k, (0.88, 1, 1.02))
        for z in (0.07, -0.07):
            bag.tube((0, 0.02, 0), (0, -0.11, z), 0.014, 0.014)


def add_bicycle(build: Builder, size: Lengths) -> None:
    """Add a bicycle under the rider: two ring wheels, a diamond frame, bar and saddle."""
    tyre = build.on("ground", CARRIED, Cloth((0.10, 0.10, 0.10)))
    frame = build.on("ground", CARRIED, Cloth((0.22, 0.24, 0.28)))
    seat = 1.03 * (size.thigh + size.shank + size.ankle) - 0.12
    rear, fore = (0, 0.335, -0.44), (0, 0.335, 0.62)
    for _, y, z in (rear, fore):
        tyre.tube((-0.018, y, z), (0.018, y, z), 0.335, 0.335, hole=0.9)
    crank, saddle, post, head = (
        (0, 0.30, 0.05),
        (0, seat, -0.12),
        (0, seat - 0.06, -0.1),
        (0, seat - 0.03, 0.39),
    )
    bar = (0, seat + 0.10, 0.42)
    for start, end in (
        (crank, saddle),
        (post, head),
        (crank, head),
        (bar, fore),
        (crank, rear),
        (post, rear),
    ):
        frame.tube(start, end, 0.02, 0.02)
    frame.tube((-0.24, bar[1], 0.40), (0.24, bar[1], 0.40), 0.02, 0.02)
    tyre.ball((0, seat + 0.02, -0.12), 0.07, 0.13, 0.035)

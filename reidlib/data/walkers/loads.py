"""What bags and long clothes do to a gait.

Directions follow the biomechanics literature. Under a backpack the trunk leans forward, pelvis and shoulders turn less
and the stride is shorter: LaFiandra, Wagenaar, Holt, Obusek, "How do load carriage and walking speed influence trunk
coordination and stride parameters?", Journal of Biomechanics 36 (2003); Seay, "Biomechanics of load carriage", in
Studies in Mechanobiology, Tissue Engineering and Biomaterials 19 (2015). Those loads are a soldier's, of 40 % of the
body's weight; sizes here are ours, for a day's belongings. A bag on one side changes stride and width of the step
little, over the shoulder least: "Comparisons of the gait parameters of young Korean women carrying a single-strap bag",
Nursing and Health Sciences 12 (2010); what shows is the arm, which holds the bag or keeps clear of it. Tight or heavy
clothes limit how far the hip bends: Adams, Keyserling, "The effect of size and fabric weight of protective coveralls
on range of gross body motions", American Industrial Hygiene Association Journal 56 (1995).
"""

from dataclasses import replace

from reidlib.data.walkers.gait import Gait
from reidlib.data.walkers.wardrobe import Outfit

BACKPACK_LEAN = 3.0  # degrees
BACKPACK_TURN, BACKPACK_STRIDE = 0.8, 0.98  # factors on the turns of pelvis and shoulders, and on the stride
BACKPACK_ARMS = 0.8  # factor on the swing of both arms
SHOULDER_BAG_ARM = 0.6  # factor on the swing of the right arm, on whose side the bag hangs
HAND_BAG_ARM = 0.2  # factor on the swing of the left arm, which holds the bag
COAT_STRIDE = 0.94  # factor on the stride in a coat to the knee
SKIRT_STRIDE = 0.93  # factor on the stride in a long skirt


def gait_under_load(gait: Gait, outfit: Outfit) -> Gait:
    """The gait of somebody who wears and carries `outfit`; without bags, coat and long skirt it is as it was."""
    stride = 1 - (1 - COAT_STRIDE) * outfit.coat
    if outfit.backpack:
        gait = replace(
            gait,
            lean=gait.lean + BACKPACK_LEAN,
            pelvis_turn=BACKPACK_TURN * gait.pelvis_turn,
            shoulder_turn=BACKPACK_TURN * gait.shoulder_turn,
            arm_swing=BACKPACK_ARMS * gait.arm_swing,
        )
        stride *= BACKPACK_STRIDE
    if outfit.skirt and not outfit.short_bottoms:
        stride *= SKIRT_STRIDE
    gait = replace(gait, hip_swing=stride * gait.hip_swing)
    if not (outfit.shoulder_bag or outfit.hand_bag):
        return gait
    left = (1 + gait.arm_asymmetry) * (HAND_BAG_ARM if outfit.hand_bag else 1)
    right = (1 - gait.arm_asymmetry) * (SHOULDER_BAG_ARM if outfit.shoulder_bag else 1)
    both = left + right
    return replace(gait, arm_swing=gait.arm_swing * both / 2, arm_asymmetry=(left - right) / both)

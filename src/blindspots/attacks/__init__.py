"""Attacks: one file each, one contract: attack(model, images, labels, *, ...) -> AttackResult."""

from blindspots.attacks.attack_at_strength import (
    STRENGTH_ATTACKS,
    attack_at_strength,
    fgsm_sweep,
    strength_radii,
    strength_table_attacks,
)
from blindspots.attacks.attack_to_strength import (
    STRENGTH_DIRECTIONS,
    STRENGTH_MEASURES,
    StrengthAttackResult,
    attack_to_strength,
)
from blindspots.attacks.comparison import Attacked, NamedAttack, compare_attacks, table_3_1_attacks
from blindspots.attacks.crossing_strength import crossing_strength
from blindspots.attacks.eight_bit import round_to_eight_bits
from blindspots.attacks.fall_strengths import fall_strengths
from blindspots.attacks.feature_ball import FeatureBall, flat_features
from blindspots.attacks.feature_newton import feature_newton_direction
from blindspots.attacks.iterated_fgsm import iterated_fgsm
from blindspots.attacks.l2_one_step import l2_one_step
from blindspots.attacks.lagrangian_perceptual_attack import lagrangian_perceptual_attack
from blindspots.attacks.normalized_perceptual_attack import normalized_perceptual_attack
from blindspots.attacks.perc_al import perc_al
from blindspots.attacks.perceptual_attack import PerceptualAttackResult, perceptual_attack
from blindspots.attacks.perceptual_pgd import perceptual_pgd
from blindspots.attacks.pgd_l2 import pgd_l2_until_flipped
from blindspots.attacks.random_search import random_search
from blindspots.attacks.result import AttackResult, NewtonAttackResult
from blindspots.attacks.robust_table_attacks import robust_table_attacks
from blindspots.attacks.ssim_budgeted_step import ssim_budgeted_step
from blindspots.attacks.ssim_one_step import ssim_one_step
from blindspots.attacks.standard_attack import STANDARD_ATTACKS, standard_attack
from blindspots.attacks.tpgd import tpgd

__all__ = [
    "STANDARD_ATTACKS",
    "STRENGTH_ATTACKS",
    "STRENGTH_DIRECTIONS",
    "STRENGTH_MEASURES",
    "AttackResult",
    "Attacked",
    "FeatureBall",
    "NamedAttack",
    "NewtonAttackResult",
    "PerceptualAttackResult",
    "StrengthAttackResult",
    "attack_at_strength",
    "attack_to_strength",
    "compare_attacks",
    "crossing_strength",
    "fall_strengths",
    "feature_newton_direction",
    "fgsm_sweep",
    "flat_features",
    "iterated_fgsm",
    "l2_one_step",
    "lagrangian_perceptual_attack",
    "normalized_perceptual_attack",
    "perc_al",
    "perceptual_attack",
    "perceptual_pgd",
    "pgd_l2_until_flipped",
    "random_search",
    "robust_table_attacks",
    "round_to_eight_bits",
    "ssim_budgeted_step",
    "ssim_one_step",
    "standard_attack",
    "strength_radii",
    "strength_table_attacks",
    "table_3_1_attacks",
    "tpgd",
]

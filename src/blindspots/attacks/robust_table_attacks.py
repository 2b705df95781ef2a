"""The columns of P1's Table 1: PGD, CW, BIM and TPGD, in the ball that the robust models are trained on."""

from __future__ import annotations

from blindspots import checks
from blindspots.attacks.attack_at_strength import attack_at_strength
from blindspots.attacks.comparison import NamedAttack
from blindspots.attacks.result import AttackResult
from blindspots.attacks.standard_attack import standard_attack
from blindspots.seeding import generator
from blindspots.types import Classifier, Images, Labels


def robust_table_attacks(
    *,
    epsilon: float | int = 0.3,
    tpgd_epsilon: float | int = 1.5 / 255,
    steps: int = 10,
    cw_steps: int = 50,
    search_steps: int = 5,
    seed: int,
) -> dict[str, NamedAttack]:
    r"""Return the attacks of P1's Table 1, in its order: "PGD", "CW", "BIM", "TPGD".

    - PGD: l2 ball of `epsilon`, random start, steps of epsilon / 4;
    - CW: the smallest l2 change it finds, drawn back to `epsilon` where it is longer;
    - BIM: PGD from the image itself, steps of epsilon / 5;
    - TPGD: l-infinity ball of `tpgd_epsilon`, up the divergence from the clean prediction.

    The same images meet the same starts each time an attack is run, whatever was run before. Each attack has its
    settings, so that `compare_attacks` can keep its rows.

    Args:
        epsilon: l2 radius, in units of the [0, 1] range, > 0.
        tpgd_epsilon: l-infinity radius of TPGD, likewise.
        steps: of PGD, BIM and TPGD, at least 1.
        cw_steps: of each search of CW.
        search_steps: values that CW tries for its constant.
        seed: of the random starts.

    Raises:
        TypeError, ValueError: bad options.

    Source: P1, Table 1; training attack of its section on robust semantic training: l2 radius 0.3, 10 steps.
    Differs from the paper: its table states no radius, norm or steps for any column. The default TPGD radius is
    near 0.3 / sqrt(3 x 32 x 32), so that its ball's corners are about as far away as the l2 ball's rim.
    """
    checks.check_number(epsilon, "epsilon", above=0.0)
    checks.check_number(tpgd_epsilon, "tpgd_epsilon", above=0.0)
    for name, value in (("steps", steps), ("cw_steps", cw_steps), ("search_steps", search_steps)):
        checks.check_number(value, name, at_least=1, integer=True)
    checks.check_number(seed, "seed", integer=True)

    def pgd(model: Classifier, images: Images, labels: Labels) -> AttackResult:
        return standard_attack(
            "pgd", model, images, labels, epsilon=epsilon, norm="l2", steps=steps, step_size=epsilon / 4,
            generator=generator(seed, "pgd"),
        )  # fmt: skip

    def cw(model: Classifier, images: Images, labels: Labels) -> AttackResult:
        return attack_at_strength(
            "cw", model, images, labels, strength=epsilon, reading="absolute", steps=cw_steps,
            search_steps=search_steps,
        )  # fmt: skip

    def bim(model: Classifier, images: Images, labels: Labels) -> AttackResult:
        return standard_attack("bim", model, images, labels, epsilon=epsilon, norm="l2", steps=steps)

    def tpgd(model: Classifier, images: Images, labels: Labels) -> AttackResult:
        return standard_attack(
            "tpgd", model, images, labels, epsilon=tpgd_epsilon, norm="linf", steps=steps,
            generator=generator(seed, "tpgd"),
        )  # fmt: skip

    ball = {"epsilon": epsilon, "norm": "l2", "steps": steps}
    drawn = {"epsilon": epsilon, "steps": cw_steps, "search_steps": search_steps}
    settings = {
        "PGD": (pgd, ball | {"step_size": epsilon / 4, "seed": seed}),
        "CW": (cw, drawn | {"reading": "absolute"}),
        "BIM": (bim, ball),
        "TPGD": (tpgd, {"epsilon": tpgd_epsilon, "norm": "linf", "steps": steps, "seed": seed}),
    }
    return {
        name: NamedAttack(run, settings={"attack": f"robust_table_attacks {name}"} | options)
        for name, (run, options) in settings.items()
    }

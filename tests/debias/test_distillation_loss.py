"""Distillation losses: by hand, by torch's own, mixtures, temperature."""

import math

import pytest
import torch
import torch.nn.functional as F

from blindspots.debias.distillation_loss import distillation_loss
from blindspots.seeding import generator

STUDENT, TEACHER = torch.randn(2, 6, 3, generator=generator(0), dtype=torch.float64).unbind(0)


def test_divergence_worked_by_hand():
    student, teacher = torch.tensor([[0.0, 0.0]]), torch.tensor([[math.log(3.0), 0.0]])
    expected = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    assert distillation_loss(student, teacher).item() == pytest.approx(expected)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4])
def test_divergence_is_that_of_torch(temperature):
    expected = temperature**2 * F.kl_div(
        F.log_softmax(STUDENT / temperature, 1), F.softmax(TEACHER / temperature, 1), reduction="batchmean"
    )
    assert torch.allclose(distillation_loss(STUDENT, TEACHER, temperature=temperature), expected)


def test_at_a_high_temperature_the_gradient_is_that_of_centered_logits():
    # Hinton et al. (2015), Eq. 4: for large T it tends to (s - t) / K per example, logits centered.
    student = STUDENT.clone().requires_grad_()
    distillation_loss(student, TEACHER, temperature=1e4).backward()
    centered = [outputs - outputs.mean(1, keepdim=True) for outputs in (STUDENT, TEACHER)]
    assert torch.allclose(student.grad, (centered[0] - centered[1]) / 3 / 6, atol=1e-5)


def test_squares_and_norms_are_their_definitions():
    differences = (STUDENT - TEACHER).tolist()
    squares = [value**2 for row in differences for value in row]
    norms = [math.sqrt(sum(value**2 for value in row)) for row in differences]
    assert distillation_loss(STUDENT, TEACHER, loss="mse").item() == pytest.approx(sum(squares) / 18)
    assert distillation_loss(STUDENT, TEACHER, loss="norm").item() == pytest.approx(sum(norms) / 6)


def test_a_mixture_is_the_weighted_sum():
    mixed = distillation_loss(STUDENT, TEACHER, loss={"kd": 0.9, "mse": 0.1}, temperature=2)
    parts = distillation_loss(STUDENT, TEACHER, temperature=2), distillation_loss(STUDENT, TEACHER, loss="mse")
    assert torch.allclose(mixed, 0.9 * parts[0] + 0.1 * parts[1])
    assert distillation_loss(STUDENT, TEACHER, loss={"kd": 1, "norm": 0}) == distillation_loss(STUDENT, TEACHER)


@pytest.mark.parametrize("loss", ["kd", "mse", "norm"])
def test_equal_outputs_have_no_loss_and_finite_gradients(loss):
    student = TEACHER.clone().requires_grad_()
    found = distillation_loss(student, TEACHER, loss=loss)
    found.backward()
    assert found.item() == pytest.approx(0, abs=1e-12)
    assert torch.isfinite(student.grad).all()
    assert distillation_loss(STUDENT, TEACHER, loss=loss) > 0


@pytest.mark.parametrize("loss", ["kd", "mse", "norm"])
def test_gradients_are_right_and_do_not_reach_the_teacher(loss):
    student, teacher = STUDENT.clone().requires_grad_(), TEACHER.clone().requires_grad_()
    torch.autograd.gradcheck(lambda outputs: distillation_loss(outputs, TEACHER, loss=loss), student)
    distillation_loss(student, teacher, loss=loss).backward()
    assert teacher.grad is None


def test_a_regression_is_distilled_by_squares():
    assert distillation_loss(STUDENT[:, :1], TEACHER[:, :1], loss="mse") == (STUDENT - TEACHER)[:, 0].square().mean()
    with pytest.raises(ValueError, match='loss: expected "mse" or "norm" for a regression'):
        distillation_loss(STUDENT[:, :1], TEACHER[:, :1])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"student": STUDENT[:3]}, ValueError, r"student: expected outputs .* got \(3, 3\) and \(6, 3\)"),
        ({"student": STUDENT.flatten(), "teacher": TEACHER.flatten()}, ValueError, "student: expected outputs"),
        ({"loss": "cosine"}, ValueError, "loss: expected one of kd, mse, norm"),
        ({"loss": {"kd": 0.9, "cosine": 0.1}}, ValueError, "loss: expected one of kd, mse, norm"),
        ({"loss": {"kd": -0.1, "mse": 1}}, ValueError, r'loss\["kd"\]: expected a finite number >= 0'),
        ({"loss": {"kd": 0.0}}, ValueError, "loss: expected one of kd, mse, norm or weights that are not all 0"),
        ({"loss": {}}, ValueError, "loss: expected one of kd, mse, norm or weights"),
        ({"temperature": 0}, ValueError, "temperature: expected a finite number > 0"),
        ({"loss": "mse", "temperature": 2}, ValueError, 'temperature: expected 1 without "kd" in the loss'),
    ],
)
def test_bad_arguments_are_refused(options, error, message):
    arguments = {"student": STUDENT, "teacher": TEACHER} | options
    with pytest.raises(error, match=message):
        distillation_loss(arguments.pop("student"), arguments.pop("teacher"), **arguments)

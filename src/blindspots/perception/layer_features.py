"""Read the activations inside a network without changing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor, nn

from blindspots.borrowed import judged


@dataclass(frozen=True)
class LayerFeatures:
    """A function images -> list of activations of one network; made by `layer_features`.

    Attributes:
        model: the network, borrowed.
        names: the modules whose outputs are read, in the order in which they are returned; None = the last
            output at each map size.
    """

    model: nn.Module
    names: tuple[str, ...] | None

    def __call__(self, images: Tensor) -> list[Tensor]:
        """Return the activations of images (N, C, H, W), differentiable; the model is as before afterwards.

        Raises:
            ValueError: a named module was not used, or gave something else than one tensor; without names, no
                module gave maps.
        """
        if self.names is None:
            return self._last_at_each_size(images)
        seen: dict[str, Tensor] = {}
        modules = {name: self.model.get_submodule(name) for name in self.names}

        def keep(name: str, output: object) -> None:
            # The copy is not touched by a ReLU that follows in place.
            seen[name] = output.clone() if isinstance(output, Tensor) else output

        with judged(self.model), _reading(modules, keep):
            self.model(images)
        for name in self.names:
            if not isinstance(seen.get(name), Tensor):
                got = "none" if name not in seen else type(seen[name]).__name__
                raise ValueError(f"names: expected one output tensor of {name!r}, got {got}; choose another module")
        return [seen[name] for name in self.names]

    def _last_at_each_size(self, images: Tensor) -> list[Tensor]:
        seen: dict[tuple[int, ...], Tensor] = {}
        leaves = {name: module for name, module in self.model.named_modules() if not any(module.children())}

        def keep(name: str, output: object) -> None:
            if isinstance(output, Tensor) and output.ndim == 4:
                seen.pop(output.shape[2:], None)
                seen[output.shape[2:]] = output

        with judged(self.model), _reading(leaves, keep):
            self.model(images)
        if not seen:
            raise ValueError(
                "model: expected modules that give maps (N, C, H, W), got none; pass names, such as those of its "
                "linear layers"
            )
        return list(seen.values())


@contextmanager
def _reading(modules: dict[str, nn.Module], keep: Callable[[str, object], None]) -> Iterator[None]:
    """Call keep(name, output) whenever a module is used; the hooks go away at the end, also after an error."""
    handles = []
    try:
        for name, module in modules.items():
            handles.append(
                module.register_forward_hook(lambda _module, _inputs, output, name=name: keep(name, output))
            )
        yield
    finally:
        for handle in handles:
            handle.remove()


def layer_features(model: nn.Module, names: Sequence[str] | None = None) -> LayerFeatures:
    """Make the function images -> list of layer activations that feature distances and their attacks take.

    Each call runs the model in evaluation mode with forward hooks that are removed before it returns, so the
    model keeps its mode, its hooks and its gradients.

    Args:
        model: any network of images; its normalization lies inside.
        names: the modules to read, as in `model.named_modules()`; a module used several times counts as last
            used. None = of all innermost modules, the last maps at each size, finest first: what the network
            has made of the image before each change of resolution.

    Returns:
        images -> list of (N, C, H, W) or (N, D), differentiable in images.

    Raises:
        TypeError: the model is not a module.
        ValueError: no names, a name twice, or a name the model does not have.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(
            f"model: expected a torch module, got {type(model).__name__}; write a function images -> list of "
            "activations instead"
        )
    if names is None:
        return LayerFeatures(model, None)
    if isinstance(names, str):
        raise ValueError(f"names: expected a list of module names, got the text {names!r}; use [{names!r}]")
    known = dict(model.named_modules())
    if not names or len(set(names)) != len(names):
        raise ValueError(f"names: expected at least one module, each once, got {list(names)}; leave doubles out")
    if unknown := [name for name in names if name not in known]:
        some = ", ".join(name for name in list(known)[:12] if name)
        raise ValueError(f"names: expected modules of the model ({some}, ...), got {', '.join(map(repr, unknown))}")
    return LayerFeatures(model, tuple(names))

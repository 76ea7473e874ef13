"""Convolutions whose weights are laid out for the processor once, not at every control tick.

With one small image the weights are the work: oneDNN wants them in blocks of its own, and PyTorch brings them
into that order (and with mixed precision casts them) at every call. A packed copy is made at the first
prediction, and again at the first one after the weights may have changed.
"""

from typing import Any, Self, cast

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class PackedConv2d(nn.Conv2d):
    """A `Conv2d` that keeps a packed copy of its weights where nothing is trained; elsewhere it is one.

    Packed weights are used on the CPU, in evaluation mode and without gradients. They are no part of the
    state dict, and results differ from those of `Conv2d` by rounding only.
    """

    _packed: tuple[tuple[Any, ...], Tensor, Tensor | None] | None = None

    @classmethod
    def of(cls, conv: nn.Conv2d) -> Self:
        """The same convolution, sharing the parameters."""
        assert not isinstance(conv.padding, str)
        packed = cls(
            conv.in_channels,
            conv.out_channels,
            conv.kernel_size,  # type: ignore[arg-type]  # torch's stub leaves the number of axes open
            conv.stride,  # type: ignore[arg-type]
            conv.padding,  # type: ignore[arg-type]
            conv.dilation,  # type: ignore[arg-type]
            conv.groups,
            bias=False,
            padding_mode=conv.padding_mode,
            device="meta",
        )
        packed.weight, packed.bias = conv.weight, conv.bias
        return packed.train(conv.training)

    def forward(self, input: Tensor) -> Tensor:  # (N, C, H, W) -> (N, C', H', W')
        if not self._can_use_packed(input):
            self._packed = None  # fused optimisers change weights without counting the change
            return super().forward(input)
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else self.weight.dtype
        bias = self.bias
        versions = self.weight._version, None if bias is None else bias._version
        key = (self.weight.data_ptr(), *versions, dtype)
        if self._packed is None or self._packed[0] != key:
            self._packed = (key, self._pack(dtype, input), None if bias is None else bias.detach().to(dtype))
        _, weight, packed_bias = self._packed
        output: Tensor = torch.ops.mkldnn._convolution_pointwise(
            input.to(dtype),
            weight,
            packed_bias,
            self.padding,
            self.stride,
            self.dilation,
            self.groups,
            "none",
            [],
            "",
        )
        return output

    def train(self, mode: bool = True) -> Self:
        """Switch modes; weights that may change are no longer packed."""
        if mode:
            self._packed = None
        return super().train(mode)

    def _can_use_packed(self, input: Tensor) -> bool:
        return (
            not self.training
            and not torch.is_grad_enabled()
            and not torch.compiler.is_compiling()
            and input.device.type == "cpu"
            and self.weight.dtype is torch.float32
            and input.dtype in (torch.float32, torch.bfloat16)
            and not self.weight.is_inference()  # such weights do not tell when they change
            and has_packing()
        )

    def _pack(self, dtype: torch.dtype, input: Tensor) -> Tensor:
        weight = self.weight.detach().to(dtype).contiguous().to_mkldnn()
        return _reorder(weight, self.padding, self.stride, self.dilation, self.groups, list(input.shape))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_packed": None}  # packed tensors can be neither copied nor pickled


def pack_convolutions(module: nn.Module) -> None:
    """Replace every `Conv2d` inside a module with a `PackedConv2d`; names and parameters stay."""
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Conv2d:
                setattr(parent, name, PackedConv2d.of(child))


def _reorder(weight: Tensor, *options: Any) -> Tensor:
    packed: Tensor = cast(Any, torch._C._nn).mkldnn_reorder_conv2d_weight(weight, *options)
    return packed


_packing: bool | None = None


def has_packing() -> bool:
    """Whether this PyTorch can convolve with packed weights; tried once.

    Relies on what PyTorch's own compiler uses and does not document: `mkldnn_reorder_conv2d_weight` and
    `torch.ops.mkldnn._convolution_pointwise`. Without them convolutions are as fast as PyTorch's.
    """
    global _packing
    if _packing is None:
        _packing = bool(cast(Any, torch.backends.mkldnn).is_available()) and _packing_agrees()
    return _packing


def _packing_agrees() -> bool:
    weight = torch.linspace(-1, 1, 54).view(2, 3, 3, 3)
    image = torch.linspace(0, 1, 75).view(1, 3, 5, 5)
    options = [1, 1], [2, 2], [1, 1], 1
    try:
        packed = _reorder(weight.to_mkldnn(), *options, [1, 3, 5, 5])
        ours = torch.ops.mkldnn._convolution_pointwise(image, packed, None, *options, "none", [], "")
    except (AttributeError, RuntimeError, TypeError):
        return False
    return bool(torch.allclose(ours, F.conv2d(image, weight, None, (2, 2), (1, 1)), atol=1e-4))

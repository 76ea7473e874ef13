"""A recurrent network over the stack, in place of the paper's attention."""

import torch
from torch import nn

from softgrasp_plugin.policies.heads import make_head
from softgrasp_plugin.policies.images import FramePreparation, ImageNetNormalize
from softgrasp_plugin.policies.joint_encoders import make_joint_encoder
from softgrasp_plugin.policies.modalities import IMAGE
from softgrasp_plugin.policies.stack_policy import StackPolicy

from .configuration_my_policy import MyConfig


class MyPolicy(StackPolicy):
    """Labels, loss, the memory of frames, chunks and their ensembling are those of `StackPolicy`."""

    config_class = MyConfig
    name = "my_policy"

    def _make_model(self, load_backbone_weights: bool) -> "MyNetwork":
        return MyNetwork(self.config)


class MyNetwork(nn.Module):
    """Encodes frames one by one, so that at run time each new frame is encoded once; then predicts."""

    def __init__(self, config: MyConfig) -> None:
        super().__init__()
        self.config = config
        self.frames = FramePreparation(config)  # resizes images, and augments them in training
        self.encoders = nn.ModuleDict({name: self._encoder(name, config.width) for name in config.modalities})
        self.memory = nn.GRU(config.width * len(config.modalities), config.width, batch_first=True)
        self.angle_head = make_head(config.width, config.head_hidden_dims, config.chunk_size)
        self.torque_head = None
        if config.predicts_torque:  # not for a hand without torque sensing
            self.torque_head = make_head(config.width, config.head_hidden_dims, config.chunk_size)

    def _encoder(self, modality: str, width: int) -> nn.Module:
        if modality != IMAGE:
            return make_joint_encoder(self.config.joint_encoder, width)
        convolution = nn.Conv2d(3, width, kernel_size=8, stride=4)
        return nn.Sequential(
            ImageNetNormalize(), convolution, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )

    def encode(self, images, joints):
        """Images (B, S, 3, H, W) and joints (B, S, 6) by modality to features (B, S, width)."""
        inputs = dict(joints) if images is None else {IMAGE: self.frames(images), **joints}
        return {
            name: self.encoders[name](values.flatten(0, 1)).unflatten(0, values.shape[:2])
            for name, values in inputs.items()
        }

    def predict(self, features):
        """Features to angles and torques (B, H, 6) of the next H moments; attention scores it has none."""
        stack = torch.cat([features[name] for name in self.config.modalities], dim=-1)
        _, newest = self.memory(stack)  # (1, B, width)
        shape = (self.config.chunk_size, 6)
        angles = self.angle_head(newest[0]).unflatten(-1, shape)
        if self.torque_head is None:
            return angles, None, {}
        return angles, self.torque_head(newest[0]).unflatten(-1, shape), {}

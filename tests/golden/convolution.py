# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Convolution, pooling and batch normalisation."""
import torch

from golden import Golden, add_layer


def conv2d():
    golden = Golden("conv2d")
    torch.manual_seed(10)
    cases = {
        "padded": (dict(in_channels=3, out_channels=5, kernel_size=3, padding=1), (2, 3, 5, 6)),
        "pointwise": (dict(in_channels=6, out_channels=4, kernel_size=1), (2, 6, 3, 3)),
        "stride": (dict(in_channels=4, out_channels=3, kernel_size=3, stride=2, padding=1), (2, 4, 7, 8)),
        "rectangular": (dict(in_channels=2, out_channels=4, kernel_size=(2, 5), stride=(2, 1), padding=(0, 3),
                             dilation=(3, 1)), (2, 2, 7, 9)),
        "dilation": (dict(in_channels=3, out_channels=2, kernel_size=3, stride=(1, 2), padding=2, dilation=(2, 3)),
                     (1, 3, 9, 8)),
        "groups": (dict(in_channels=6, out_channels=4, kernel_size=3, padding=1, groups=2), (2, 6, 4, 5)),
        "depthwise": (dict(in_channels=4, out_channels=8, kernel_size=3, stride=2, padding=1, groups=4), (2, 4, 5, 5)),
        "without_bias": (dict(in_channels=3, out_channels=4, kernel_size=5, padding=2, bias=False), (1, 3, 4, 4)),
    }
    for case, (options, shape) in cases.items():
        add_layer(golden, case, torch.nn.Conv2d(**options), torch.randn(shape))
    golden.write()


def pooling():
    golden = Golden("pooling")
    torch.manual_seed(11)
    x = torch.randn(2, 3, 7, 6)
    cases = {
        "max": torch.nn.MaxPool2d(2),
        "max_overlapping": torch.nn.MaxPool2d(3, stride=2, padding=1),
        "max_rectangular": torch.nn.MaxPool2d((3, 2), stride=(1, 3), padding=(1, 0)),
        "avg": torch.nn.AvgPool2d(2),
        "avg_overlapping": torch.nn.AvgPool2d(3, stride=2, padding=1),
        "avg_without_pad": torch.nn.AvgPool2d((3, 4), stride=(2, 1), padding=(1, 2), count_include_pad=False),
        "global": torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()),
    }
    for case, module in cases.items():
        add_layer(golden, case, module, x)
    golden.write()


def batch_norm():
    """Training, then evaluation with statistics that are not those of the batch."""
    golden = Golden("batch_norm")
    torch.manual_seed(12)
    cases = {
        "2d": (torch.nn.BatchNorm2d(3), (2, 3, 5, 3)),
        "2d_options": (torch.nn.BatchNorm2d(4, eps=1e-2, momentum=0.3), (3, 4, 1, 2)),
        "2d_not_affine": (torch.nn.BatchNorm2d(2, affine=False), (2, 2, 3, 3)),
        "1d": (torch.nn.BatchNorm1d(5), (7, 5)),
        "1d_two_rows": (torch.nn.BatchNorm1d(3), (2, 3)),
        "1d_length": (torch.nn.BatchNorm1d(3), (2, 3, 4)),
    }
    for case, (module, shape) in cases.items():
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter)
        module.running_mean.normal_()
        module.running_var.uniform_(0.5, 2.0)
        x = 2.0 * torch.randn(shape) + 3.0
        add_layer(golden, case, module, x)
        module.zero_grad()
        add_layer(golden, case + "_eval", module.eval(), x)
    golden.write()


FILES = {"conv2d": conv2d, "pooling": pooling, "batch_norm": batch_norm}

# SPDX-FileCopyrightText: The eigengrad authors
# SPDX-License-Identifier: MIT
"""Operations on the axes of tensors, and matrix products: results, and gradients by each input."""
import torch

from golden import Golden


def add_operation(golden, case, function, **inputs):
    """Inputs by name, y, dy, and the gradients, named "d" + name."""
    inputs = {name: tensor.requires_grad_() for name, tensor in inputs.items()}
    y = function(**inputs)
    dy = torch.randn_like(y)
    y.backward(dy)
    for name, tensor in inputs.items():
        golden.add(f"{case}.{name}", tensor)
        golden.add(f"{case}.d{name}", tensor.grad)
    golden.add(f"{case}.y", y)
    golden.add(f"{case}.dy", dy)


def structure_ops():
    golden = Golden("structure_ops")
    torch.manual_seed(40)
    random = torch.randn
    functional = torch.nn.functional
    add_operation(golden, "permute", lambda x: x.permute(0, 3, 1, 2), x=random(2, 3, 2, 3))
    add_operation(golden, "transpose", lambda x: x.transpose(-1, 0), x=random(2, 3, 4))
    add_operation(golden, "slice", lambda x: x[:, -6:7:2], x=random(3, 9, 2))
    add_operation(golden, "rows", lambda x: x[1:3], x=random(4, 5))
    add_operation(golden, "concat", lambda a, b, c: torch.cat([a, b, c], 1), a=random(3, 2, 2), b=random(3, 1, 2),
                  c=random(3, 4, 2))
    add_operation(golden, "stack", lambda a, b: torch.stack([a, b], -1), a=random(3, 4), b=random(3, 4))
    add_operation(golden, "pad", lambda x: functional.pad(x, (1, 2, 0, 0, 3, -1), value=0.5), x=random(3, 2, 4))
    index = torch.randint(0, 5, (3, 6, 2))
    golden.add("index", index)
    add_operation(golden, "gather", lambda x: x.gather(1, index), x=random(4, 5, 2))
    add_operation(golden, "scatter_add", lambda source: torch.zeros(4, 5, 2).scatter_add(1, index, source),
                  source=random(3, 6, 2))
    tokens = torch.randint(0, 5, (4, 3))
    golden.add("tokens", tokens)
    add_operation(golden, "embedding", lambda x: functional.embedding(tokens, x), x=random(5, 3))
    columns = torch.tensor([3, 0, 3, 1])
    golden.add("columns", columns)
    add_operation(golden, "index_select", lambda x: x.index_select(1, columns), x=random(2, 4, 3))
    golden.add("one_hot", functional.one_hot(tokens, 6))
    shapes = {
        "matrices": ((4, 5), (5, 3)),
        "batches": ((2, 2, 3, 4), (2, 2, 4, 2)),
        "broadcast": ((2, 1, 3, 4), (3, 4, 2)),
        "one_right": ((2, 2, 3, 4), (4, 5)),
        "one_left": ((3, 4), (2, 4, 5)),
        "matrix_vector": ((2, 3, 4), (4,)),
        "vector_matrix": ((4,), (2, 4, 3)),
        "dot": ((9,), (9,)),
        "wide": ((2, 5, 16), (2, 16, 7)),
    }
    for case, (a, b) in shapes.items():
        add_operation(golden, f"matmul_{case}", torch.matmul, input=random(a), other=random(b))
    golden.write()


FILES = {"structure_ops": structure_ops}

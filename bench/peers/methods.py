"""Ways to take one optimizer step in PyTorch."""

import torch

GAMMA = 1.5


def plain_sum(network, losses, optimizer):
    optimizer.zero_grad()
    sum(losses).backward()
    optimizer.step()


def min_norm_of_two(mm, mu, uu):
    """Weights of the min-norm point of two gradients, with the corners that the official solver returns."""
    if mu >= mm:
        return 0.999, 0.001
    if mu >= uu:
        return 0.001, 0.999
    alpha = (uu - mu) / (mm + uu - 2 * mu)
    return alpha, 1 - alpha


def official_mmpareto(network, losses, optimizer):
    """The loop of the official MMPareto code: a backward pass for each loss and one for their sum, gradients cloned and
    concatenated, weights for each part, rescaled tensor by tensor."""
    recorded = [{} for _ in network.groups]
    for number, loss in enumerate(losses):
        optimizer.zero_grad()
        loss.backward(retain_graph=True)
        for record, (parameters, objectives) in zip(recorded, network.groups):
            if number in objectives:
                clones = [p.grad.data.clone() for p in parameters]
                record[number] = (clones, torch.cat([g.flatten() for g in clones]))
    weights = []
    for record, (_, (a, b)) in zip(recorded, network.groups):
        if torch.nn.functional.cosine_similarity(record[a][1], record[b][1], dim=0) > 0:
            weights.append((0.5, 0.5))
        else:
            dot = lambda x, y: float(sum((p * q).sum() for p, q in zip(x, y)))
            u, v = record[a][0], record[b][0]
            weights.append(min_norm_of_two(dot(u, u), dot(u, v), dot(v, v)))
    optimizer.zero_grad()
    sum(losses).backward()
    for record, (parameters, (a, b)), (wa, wb) in zip(recorded, network.groups, weights):
        for parameter, u, v in zip(parameters, record[a][0], record[b][0]):
            length = torch.norm(parameter.grad.data.clone())
            combined = 2 * wa * u + 2 * wb * v
            factor = length / torch.norm(combined)
            parameter.grad = (factor * combined if factor > 1 else combined) * GAMMA
    optimizer.step()


def mmpareto_once(network, losses, optimizer):
    """MMPareto written by hand for speed: one backward pass for each loss, inner products without copies, one weight for each part."""
    optimizer.zero_grad()
    gradients = []
    for number, loss in enumerate(losses):
        parts = [p for p, objectives in network.groups if number in objectives]
        parts += [p for p, single in network.singles if single == number]
        flat = [parameter for part in parts for parameter in part]
        own = iter(torch.autograd.grad(loss, flat, retain_graph=number < len(losses) - 1))
        gradients.append({id(part): [next(own) for _ in part] for part in parts})
    for parameters, number in network.singles:
        for parameter, gradient in zip(parameters, gradients[number][id(parameters)]):
            parameter.grad = gradient
    for parameters, (a, b) in network.groups:
        u, v = gradients[a][id(parameters)], gradients[b][id(parameters)]
        products = torch.stack(
            [
                torch.stack([(p * p).sum(), (p * q).sum(), (q * q).sum()])
                for p, q in zip(u, v)
            ]
        ).sum(0)
        mm, mu, uu = products.tolist()
        wa = wb = GAMMA
        if mu < 0:
            alpha = (uu - mu) / (mm + uu - 2 * mu)
            norm = alpha**2 * mm + 2 * alpha * (1 - alpha) * mu + (1 - alpha) ** 2 * uu
            scale = GAMMA * ((mm + 2 * mu + uu) / norm) ** 0.5
            wa, wb = scale * alpha, scale * (1 - alpha)
        for parameter, p, q in zip(parameters, u, v):
            parameter.grad = wa * p + wb * q
    optimizer.step()


def torchjd(aggregator):
    from torchjd import autojac

    def step(network, losses, optimizer):
        optimizer.zero_grad()
        shared = [parameter for parameters, _ in network.groups for parameter in parameters]
        autojac.backward(losses, inputs=shared, retain_graph=True)
        for parameters, _ in network.groups:
            autojac.jac_to_grad(parameters, aggregator)
        heads = [parameter for parameters, _ in network.singles for parameter in parameters]
        for parameter, gradient in zip(heads, torch.autograd.grad(sum(losses), heads)):
            parameter.grad = gradient
        optimizer.step()

    return step


def methods():
    """By name; those of TorchJD where it is installed."""
    own = {
        "sum": plain_sum,
        "mmpareto, official loop": official_mmpareto,
        "mmpareto, by hand": mmpareto_once,
    }
    try:
        from torchjd import aggregation
    except ImportError:
        return own
    return own | {
        "torchjd mgda": torchjd(aggregation.MGDA()),
        "torchjd pcgrad": torchjd(aggregation.PCGrad()),
        "torchjd upgrad": torchjd(aggregation.UPGrad()),
    }

"""The angle mapping f: Table 1, its domains, the fit and the file."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softgrasp_plugin.grasping.mapping import (
    PAPER_MAPPING,
    PAPER_ORDERS,
    AngleMapping,
    JointMapping,
    fit_mapping,
    valid_domain,
)
from softgrasp_plugin.joints import JOINTS, NUM_JOINTS

DOMAINS = np.array([joint.domain for joint in PAPER_MAPPING.joints])

angles = st.lists(st.floats(-2, 2), min_size=NUM_JOINTS, max_size=NUM_JOINTS).map(np.array)


def sampled_pairs(n=400):
    share = np.linspace(0, 1, n)[:, None]
    glove = DOMAINS[:, 0] + share * (DOMAINS[:, 1] - DOMAINS[:, 0])
    return glove, PAPER_MAPPING(glove)


@given(angles, angles)
def test_paper_mapping_is_monotonic_and_inside_zero_one(first, second):
    low, high = PAPER_MAPPING(np.minimum(first, second)), PAPER_MAPPING(np.maximum(first, second))
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert (high >= low - 1e-9).all()


def test_paper_mapping_does_not_slam_the_thumb_where_the_polynomial_explodes():
    raw = np.polyval(PAPER_MAPPING.joints[5].coefficients, 0.0)
    assert raw > 50
    assert PAPER_MAPPING(np.zeros(NUM_JOINTS))[4:].max() < 0.06


def test_paper_domains_are_where_table_1_is_usable():
    # From a dense evaluation of Table 1: the widest stretch that rises inside [0, 1].
    expected = [
        (0, 0.7546),
        (0.0107, 0.7714),
        (0.0055, 0.7898),
        (0.0010, 0.7807),
        (0.3006, 0.7755),
        (0.4189, 0.7125),
    ]
    np.testing.assert_allclose(DOMAINS, expected, atol=1e-4)


def test_evaluates_table_1_inside_the_domain():
    angle = np.full(NUM_JOINTS, 0.5)
    expected = [np.polyval(joint.coefficients, 0.5) for joint in PAPER_MAPPING.joints]
    np.testing.assert_allclose(PAPER_MAPPING(angle), expected, rtol=1e-12)
    np.testing.assert_allclose(PAPER_MAPPING(np.stack([angle, angle])), [expected, expected], rtol=1e-12)


@given(st.lists(st.floats(0, 1), min_size=NUM_JOINTS, max_size=NUM_JOINTS).map(np.array))
def test_inverse_returns_to_the_closure(closure):
    reachable = PAPER_MAPPING(DOMAINS.T)
    angle = PAPER_MAPPING.inverse(closure)
    assert (angle >= DOMAINS[:, 0]).all()
    assert (angle <= DOMAINS[:, 1]).all()
    np.testing.assert_allclose(PAPER_MAPPING(angle), np.clip(closure, *reachable), atol=1e-6)


def test_inverse_takes_sequences():
    closure = np.linspace(0.1, 0.9, 5)[:, None] * np.ones(NUM_JOINTS)
    assert PAPER_MAPPING.inverse(closure).shape == (5, NUM_JOINTS)


@pytest.mark.parametrize("bad", [np.zeros(5), np.array(0.5), np.full(NUM_JOINTS, np.nan)])
def test_refuses_other_shapes_and_nan(bad):
    with pytest.raises(ValueError, match="glove angles must"):
        PAPER_MAPPING(bad)


def test_fit_recovers_table_1_from_exact_points():
    glove, hand = sampled_pairs()
    fitted = fit_mapping(glove, hand)
    for joint, paper in zip(fitted.joints, PAPER_MAPPING.joints, strict=True):
        # Exact points leave rounding only; the fifth-order fit on a third of the range amplifies it most.
        np.testing.assert_allclose(joint.coefficients, paper.coefficients, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(joint.domain, paper.domain, atol=1e-6)
        assert joint.residual_std < 1e-9


def test_fit_measures_the_residuals():
    rng = np.random.default_rng(0)
    glove, _ = sampled_pairs(4000)
    std = np.array([joint.residual_std for joint in PAPER_MAPPING.joints])
    inner = np.clip(glove, DOMAINS[:, :1].T + 0.05, DOMAINS[:, 1:].T - 0.05)
    hand = PAPER_MAPPING(inner) + rng.normal(0, std, glove.shape)
    fitted = fit_mapping(inner, np.clip(hand, 0, 1))
    np.testing.assert_allclose([joint.residual_std for joint in fitted.joints], std, rtol=0.05)


def test_fit_stays_inside_the_data():
    glove, hand = sampled_pairs()
    half = len(glove) // 2
    fitted = fit_mapping(glove[:half], hand[:half])
    for joint, seen in zip(fitted.joints, glove[:half].T, strict=True):
        assert joint.domain[0] >= seen.min() - 1e-12
        assert joint.domain[1] <= seen.max() + 1e-12


def test_fit_refuses_what_it_cannot_fit():
    glove, hand = sampled_pairs()
    with pytest.raises(ValueError, match="thumb_bend: a polynomial of order 5 needs at least 7"):
        fit_mapping(glove[::80], hand[::80])
    broken = hand.copy()
    broken[3, 2] = np.inf
    with pytest.raises(ValueError, match="hand closures must be finite"):
        fit_mapping(glove, broken)
    with pytest.raises(ValueError, match=r"hand closures must lie in \[0, 1\]"):
        fit_mapping(glove, hand * 1000)
    with pytest.raises(ValueError, match=r"little_bend: the polynomial .* nowhere rises"):
        fit_mapping(glove, 1 - hand)
    with pytest.raises(ValueError, match="same shape"):
        fit_mapping(glove[1:], hand)
    with pytest.raises(ValueError, match="6 polynomial orders"):
        fit_mapping(glove, hand, orders=(3, 3))
    with pytest.raises(ValueError, match="got 1"):
        fit_mapping(np.full((50, NUM_JOINTS), 0.5), np.full((50, NUM_JOINTS), 0.5))
    with pytest.raises(ValueError, match="same shape"):
        fit_mapping(glove[0], hand[0])
    with pytest.raises(ValueError, match="got 0"):
        fit_mapping(np.zeros((0, NUM_JOINTS)), np.zeros((0, NUM_JOINTS)))


def test_fit_refuses_a_joint_that_rises_over_a_small_part_only():
    glove = np.linspace(0, 1, 200)[:, None] * np.ones(NUM_JOINTS)
    hand = 0.9 - (glove - 0.2) ** 2  # rises below 0.2 only
    with pytest.raises(ValueError, match=r"rises only between 0 and 0\.2, where 20%"):
        fit_mapping(glove, np.clip(hand, 0, 1))


@settings(max_examples=60)
@given(st.lists(st.floats(-3, 3), min_size=2, max_size=6), st.floats(0, 0.5), st.floats(0.6, 1))
def test_valid_domain_is_valid_or_refused(coefficients, low, high):
    try:
        start, end = valid_domain(coefficients, (low, high))
    except ValueError:
        samples = np.linspace(low, high, 2001)
        values = np.polyval(coefficients, samples)
        rising = (np.diff(values) > 1e-7) & (values[1:] < 1) & (values[:-1] > 0)
        assert not np.any(rising[1:] & rising[:-1])
        return
    assert low <= start < end <= high
    values = np.polyval(coefficients, np.linspace(start, end, 500))
    assert values.min() >= -1e-6
    assert values.max() <= 1 + 1e-6
    assert np.diff(values).min() >= -1e-6


def test_saves_and_loads(tmp_path):
    path = tmp_path / "mapping.json"
    PAPER_MAPPING.save(path)
    assert AngleMapping.load(path) == PAPER_MAPPING
    assert list(json.loads(path.read_text())["joints"]) == list(JOINTS)


def change(**entry):
    def edit(document):
        document["joints"]["ring_bend"].update(entry)

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda document: document.update(format="other"), 'expected an object with "format"'),
        (lambda document: document.update(version=2), "has version 2, expected version 1"),
        (lambda document: document["joints"].pop("ring_bend"), "expected the joints little_bend, ring_bend"),
        (lambda document: document.update(joints=[]), "expected the joints"),
        (lambda document: document["joints"]["ring_bend"].pop("domain"), "ring_bend: the field 'domain'"),
        (change(domain=[0.5]), "joint ring_bend"),
        (change(domain=[0.9, 0.1]), "0 <= low < high"),
        (change(coefficients="x"), "joint ring_bend"),
        (change(coefficients=[0.5]), "order 1 or more"),
        (change(residual_std=float("nan")), "must be a number in"),
        (change(domain=[0.0, 1.0]), "does not rise within"),
        (change(coefficients=[-1.0, 1.0]), "does not rise within"),
    ],
)
def test_load_says_what_is_wrong(tmp_path, edit, message):
    path = tmp_path / "mapping.json"
    PAPER_MAPPING.save(path)
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=message):
        AngleMapping.load(path)


def test_load_refuses_other_files(tmp_path):
    path = tmp_path / "mapping.json"
    path.write_bytes(b"\x80\x04")
    with pytest.raises(ValueError, match="does not hold an angle mapping"):
        AngleMapping.load(path)
    with pytest.raises(ValueError, match=r"absent\.json does not exist"):
        AngleMapping.load(tmp_path / "absent.json")


def test_needs_six_joints():
    joint = JointMapping((1.0, 0.0), (0.0, 1.0), 0.0)
    with pytest.raises(ValueError, match="6 joints"):
        AngleMapping((joint,) * 5)
    assert len(PAPER_ORDERS) == NUM_JOINTS


def test_a_finger_beyond_the_domain_is_not_moved_to_where_the_mapping_begins():
    low = np.array([joint.domain[0] for joint in PAPER_MAPPING.joints])
    near = low / 2
    here = PAPER_MAPPING(near)
    np.testing.assert_array_equal(PAPER_MAPPING.inverse(here, near=near)[low > 0], near[low > 0])


def test_inverse_keeps_only_a_finger_beyond_the_end_that_is_asked_for():
    low, high = DOMAINS.T
    inside = PAPER_MAPPING.inverse(PAPER_MAPPING((low + high) / 2))
    for near in (low - 0.05, high + 0.05):
        np.testing.assert_allclose(PAPER_MAPPING.inverse(PAPER_MAPPING((low + high) / 2), near), inside)
    ends = PAPER_MAPPING.inverse(PAPER_MAPPING(low))
    np.testing.assert_allclose(PAPER_MAPPING.inverse(PAPER_MAPPING(low), high + 0.05), ends)


def test_the_whole_range_is_valid_for_a_straight_line_and_no_more():
    assert valid_domain((1.0, 0.0)) == (0.0, 1.0)
    assert valid_domain((0.5, 0.0)) == (0.0, 1.0)
    assert JointMapping((0.5, 0.0), (0.0, 1.0), 0.0)(np.array(2.0)) == 0.5
    with pytest.raises(ValueError, match="high <= 1"):
        JointMapping((0.5, 0.0), (0.0, 1.5), 0.0)


def test_the_widest_of_two_valid_stretches_is_taken():
    # Rises on [0, 0.2], falls, rises again on a longer stretch up to 1.
    cubic = np.polynomial.Polynomial.fromroots([0.2, 0.5]).integ(k=0.3).convert().coef[::-1]
    low, high = valid_domain(tuple(cubic))
    assert (low, high) == pytest.approx((0.5, 1.0), abs=1e-9)
    mirrored = np.polynomial.Polynomial.fromroots([0.5, 0.8]).integ(k=0.1).convert().coef[::-1]
    assert valid_domain(tuple(mirrored)) == pytest.approx((0.0, 0.5), abs=1e-9)


@pytest.mark.parametrize("coefficients", [(1.0, -0.1), (1.0, 0.1), (-1.0, 1.0)])
def test_a_polynomial_that_leaves_zero_to_one_or_falls_is_refused(coefficients):
    with pytest.raises(ValueError, match="does not rise within"):
        JointMapping(coefficients, (0.0, 1.0), 0.0)


def test_a_straight_line_may_be_fitted_and_its_residuals_are_unbiased():
    rng = np.random.default_rng(0)
    glove = np.repeat(np.linspace(0.0, 1.0, 6)[:, None], NUM_JOINTS, axis=1)
    hand = (0.1 + 0.8 * glove + rng.normal(0.0, 0.01, glove.shape)).clip(0.0, 1.0)
    mapping = fit_mapping(glove, hand, orders=(1,) * NUM_JOINTS)
    for index, joint in enumerate(mapping.joints):
        residual = hand[:, index] - np.polyval(joint.coefficients, glove[:, index])
        assert len(joint.coefficients) == 2
        assert joint.residual_std == pytest.approx(np.sqrt((residual**2).sum() / (6 - 2)))


def test_a_file_may_hold_as_many_coefficients_as_are_allowed_and_is_readable(tmp_path):
    path = tmp_path / "mapping.json"
    PAPER_MAPPING.save(path)
    assert len(path.read_text().splitlines()) > 6 * 5, "one value a line, for people who compare two"
    document = json.loads(path.read_text())
    document["joints"][JOINTS[0]]["coefficients"] = [0.0] * 14 + [0.5, 0.0]
    path.write_text(json.dumps(document))
    assert AngleMapping.load(path).joints[0](np.array(0.6)) == pytest.approx(0.3)
    document["joints"][JOINTS[0]]["coefficients"] = [0.0] * 15 + [0.5, 0.0]
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match="at most 16 coefficients"):
        AngleMapping.load(path)

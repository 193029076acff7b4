import numpy as np

from monomsk.datasets.outfit import draw_design, draw_light, draw_paint

TOWARD = np.array([0.0, 0.4, 3.0])


def test_everybody_is_dressed_otherwise_and_equal_seeds_alike():
    paints = [draw_paint(np.random.default_rng(seed)) for seed in range(30)]
    assert paints[3] == draw_paint(np.random.default_rng(3))
    assert len({paint["shirt"] for paint in paints}) == 30
    colors = np.array([color for paint in paints for color in paint.values()])
    assert colors.min() >= 0.0
    assert colors.max() <= 1.0
    bare = [paint for paint in paints if "leg" in paint]
    assert 3 <= len(bare) <= 18
    assert all(paint["leg"] == paint["skin"] for paint in bare)


def test_no_shadow_falls_towards_the_camera():
    for seed in range(50):
        light = draw_light(np.random.default_rng(seed), TOWARD)
        np.testing.assert_allclose(np.linalg.norm(light.sun), 1.0)
        assert light.sun[1] > 0.7
        shadow = -light.sun / light.sun[1]
        assert shadow[2] < 0.1


def test_the_room_is_around_everything():
    inside = np.random.default_rng(0).uniform([-2.0, 0.0, 1.0], [3.0, 3.4, 4.0], (50, 3))
    for seed in range(20):
        design = draw_design(np.random.default_rng(seed), inside)
        assert design.planes[0].kind == "floor"
        assert design.planes[0].value == 0.0
        for plane in design.planes[1:]:
            side = np.sign(plane.value - inside[:, plane.axis])
            assert abs(side.sum()) == len(inside), plane

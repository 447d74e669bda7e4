"""Every slip that is known to the search has a case, derived by hand, of which it is found by its name."""

from functools import partial

import numpy as np
import pytest
import test_blame as single
import test_blame_edits as edits
import test_blame_formulas as formulas
import test_blame_judging as judging
import test_blame_slips as slips
import test_blame_together as together
from editcases import CASES as EDITS
from postedcases import POSTED

from viz import explain_mismatch
from viz.blame.slips import SLIPS

CASES = {
    "activation derivative missing": slips.test_the_missing_derivative_is_found_to_four_printed_digits,
    "activation derivative doubled": slips.test_a_doubled_activation_derivative,
    "activation derivative at the activated value": slips.test_the_derivative_taken_at_a_instead_of_z,
    "activation derivative at the value before it": slips.test_the_derivative_in_terms_of_a_fed_with_z,
    "derivative of another activation": together.test_the_derivative_of_another_activation_in_every_layer,
    "softmax derivative as if diagonal": slips.test_a_softmax_derivative_as_if_diagonal,
    "upstream gradient not multiplied in": slips.test_the_upstream_gradient_not_multiplied_in,
    "symmetric matrix": slips.test_the_gradient_by_a_symmetric_matrix_differs_and_is_named,
    "factor of the rule left out": formulas.test_a_factor_left_out_of_the_derivative_of_the_sigmoid,
    "term of the rule left out": formulas.test_the_sum_over_the_classes_left_out_of_the_derivative_of_the_softmax,
    "sign in the rule": formulas.test_a_sign_flipped_inside_the_derivative_of_the_sigmoid,
    "power in the rule": formulas.test_the_derivative_of_tanh_with_another_power_at_every_step_of_a_recurrence,
    "product and quotient mixed up": formulas.test_the_derivative_of_the_logarithm_multiplied_instead_of_divided,
    "local derivative missing": slips.test_the_local_derivative_of_a_product_missing_alone_or_mixed_up,
    "derivative by the other operand": slips.test_the_local_derivative_of_a_product_missing_alone_or_mixed_up,
    "labels": slips.test_the_opposite_label,
    "given under another name": formulas.test_two_gradients_given_for_each_other,
    "path left out": formulas.test_a_term_left_out_of_the_gradient_of_a_loss_that_is_one_operation,
    "shared weight at one position only": slips.test_a_shared_weight_counted_at_the_last_step_only,
    "shared weight averaged": single.test_slips_that_can_not_be_told_apart_are_counted,
    "one example of the batch only": slips.test_one_example_of_the_batch_only,
    "shared kernel at one position only": slips.test_a_kernel_counted_at_one_position_only,
    "shared kernel averaged": slips.test_a_kernel_averaged_over_positions,
    "broadcast sum left out": formulas.test_the_gradient_of_z_given_for_that_of_its_bias_is_a_sum_left_out,
    "broadcast sum over the wrong axis": slips.test_the_sum_of_a_bias_over_the_wrong_axis,
    "index that repeats": together.test_an_index_that_repeats_of_which_the_last_contribution_alone_is_kept,
    "max-pool gradient": slips.test_a_pooling_gradient_spread_evenly_and_to_all,
    "gradient at a tie of several": slips.test_a_pooling_gradient_to_every_tie,
    "gradient at a tie of two": slips.test_another_choice_at_a_kink_is_said_to_be_as_good,
    "transpose": slips.test_a_transposed_gradient,
    "upstream gradient transposed": together.test_the_gradient_of_the_scores_of_attention_transposed,
    "order of a product": partial(
        together.test_a_product_with_an_operand_not_transposed_or_in_the_other_order, np.matmul
    ),
    "kernel flipped": slips.test_a_flipped_kernel,
    "flipped": slips.test_a_kernel_reversed_in_a_convolution_that_is_written_out,
    "value before the activation": slips.test_z_in_the_place_of_a,
    "another value in the place of an operand": (
        slips.test_another_value_of_the_same_shape_read_in_the_place_of_an_operand
    ),
    "stale forward values": slips.test_stale_forward_values,
    "another gradient in the place of the upstream one": slips.test_another_gradient_handed_to_the_rule,
    "sign": formulas.test_the_sign_of_one_of_several_contributions,
    "factor": slips.test_a_factor_that_is_the_length_of_an_axis,
    "some factor": slips.test_a_factor_that_no_operation_accounts_for,
    "step not taken": judging.test_a_step_that_was_not_taken_or_not_for_all_weights,
    "weights already updated": single.test_the_published_slip_of_updated_weights_from_nine_printed_digits,
    "regularisation term": slips.test_a_missing_or_doubled_regularisation_term,
    "one number misread": single.test_one_number_misread_as_in_a_published_comment,
}


CASES |= {
    slip: partial(edits.test_a_mistake_is_found_with_its_formula, name)
    for name, (slips, _) in EDITS.items()
    for slip in slips
    if slip not in CASES
}
CASES |= {
    slip: partial(edits.test_a_mistake_in_a_network_is_found, name)
    for name, (slip, *_) in POSTED.items()
    if slip not in CASES
}


@pytest.mark.parametrize("slip", sorted({entry.name for entry in SLIPS} | {*CASES}))
def test_every_slip_that_is_known_is_found_by_its_name(slip, monkeypatch):
    found = set()

    def noted(*args, **options):
        report = explain_mismatch(*args, **options)
        found.update(finding.slip for finding in report)
        return report

    for module in (single, edits, formulas, judging, slips, together):
        monkeypatch.setattr(module, "explain_mismatch", noted)
    CASES[slip]()
    assert slip in found and slip in {entry.name for entry in SLIPS}

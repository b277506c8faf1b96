// What went wrong, in the words of the node.

import { Problem } from './api.js'
import { el } from './elements.js'

/** Shows a failure in a place, with the way out if the node knows one. */
export function showProblem(place, problem) {
  place.replaceChildren(described(problem))
}

/** A failure as an element. */
export function described(problem) {
  if (!(problem instanceof Problem)) {
    return el('p', { class: 'problem' }, el('strong', {}, sentence(problem.message)))
  }
  const { title, reason } = problem.told
  const kind = title && title !== problem.message ? ` (${title})` : ''
  const why = reason ? ` ${sentence(`reason: ${reason.replaceAll('_', ' ')}`)}` : ''
  return el('p', { class: 'problem' },
    el('strong', {}, sentence(problem.message + kind)), why,
    problem.hint && el('span', { class: 'hint' }, sentence(`hint: ${problem.hint}`)))
}

function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}

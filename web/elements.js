// Elements of the page, made without any text ever being read as HTML.

const SVG = 'http://www.w3.org/2000/svg'

export const byId = (id) => document.getElementById(id)

/** An element of HTML. Attributes that are undefined or false are left out; `on` holds listeners. */
export function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children)
}

/** An element of SVG. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children)
}

function filled(element, { on = {}, ...attributes }, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value)
  }
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener)
  // As `condition && child` leaves them.
  element.append(...children.filter((child) => child || child === 0))
  return element
}

/** Sets a text only if it is another one, so that nothing is laid out or read aloud again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text
}

/** A table with these column titles; a title that ends with `#` has numbers below it. */
export function table(titles, rows, caption) {
  const isNumber = titles.map((title) => title.endsWith('#'))
  const head = titles.map((title, at) =>
    el('th', { scope: 'col', class: isNumber[at] && 'number' }, title.replace('#', '')))
  const body = rows.map((cells) =>
    el('tr', {}, ...cells.map((cell, at) => el('td', { class: isNumber[at] && 'number' }, cell))))
  return el('table', {},
    caption && el('caption', { class: 'unseen' }, caption),
    el('thead', {}, el('tr', {}, ...head)),
    el('tbody', {}, ...body))
}

/** A node's id, shortened for the eye and whole for the pointer and for copying. */
export function idOf(id) {
  return el('code', { title: id }, id.slice(0, 8))
}

// Light, dark, or as the system has it; kept for the next visit.

const KEPT = 'xorbit-theme'
const THEMES = ['auto', 'light', 'dark']

/** Lets a control choose the theme. */
export function offerThemes(control) {
  const kept = localStorage.getItem(KEPT)
  control.value = THEMES.includes(kept) ? kept : 'auto'
  wear(control.value)
  control.addEventListener('change', () => {
    localStorage.setItem(KEPT, control.value)
    wear(control.value)
  })
}

function wear(theme) {
  document.documentElement.dataset.theme = theme
  dispatchEvent(new Event('themechange'))
}

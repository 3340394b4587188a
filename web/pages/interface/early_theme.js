/** Sets the chosen theme before the first paint: modules run later, and the page would flash in the other colours. */
(function () {
  'use strict';
  try {
    document.documentElement.setAttribute('data-theme', localStorage.getItem('csps-llm:theme') || 'system');
  } catch (error) {
    // The storage is switched off: the system's theme holds.
  }
})();

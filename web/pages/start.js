/** Says why the page could not start, in the words of index.html. Loads first.
 *
 * A classic script in the JavaScript of 2009: it also has to run in the browsers that it speaks about.
 */
(function () {
  'use strict';

  // The page's modules use these. Syntax that a browser lacks shows itself as a SyntaxError.
  var NEEDED = {
    'modules': 'noModule' in HTMLScriptElement.prototype,
    'Array.prototype.at': Array.prototype.at,
    'Intl.ListFormat': window.Intl && Intl.ListFormat,
    'WebSocket': window.WebSocket,
    'fetch': window.fetch,
    'ResizeObserver': window.ResizeObserver,
    'HTMLDialogElement': window.HTMLDialogElement,
    'CSS custom properties': window.CSS && CSS.supports && CSS.supports('color', 'var(--ink)')
  };
  var ours = document.currentScript.src.replace(/start\.js.*$/, '');
  var lost = ''; // the first file that did not arrive
  var trouble = null; // the reason and its detail, once there is one

  /** Shows the section with the reason, now or when the document is there. */
  function report(reason, detail) {
    var section = document.getElementById('trouble');
    trouble = trouble || { reason: section && section.hidden ? 'part' : reason, detail: detail };
    if (section && document.readyState !== 'loading') show(section);
  }

  function show(section) {
    var words = section.querySelectorAll('[data-reason]');
    var details = section.querySelectorAll('.detail');
    var i;
    for (i = 0; i < words.length; i += 1) words[i].hidden = words[i].getAttribute('data-reason') !== trouble.reason;
    for (i = 0; i < details.length; i += 1) details[i].textContent = trouble.detail;
    section.setAttribute('data-reported', trouble.reason);
    section.hidden = false;
    if (trouble.reason !== 'part' && section.parentNode === document.body) hideOthers(section);
  }

  /** A page that cannot start would take a question and never answer it. */
  function hideOthers(section) {
    var all = document.body.children;
    for (var i = 0; i < all.length; i += 1) if (all[i] !== section) all[i].hidden = true;
    var main = document.createElement('main');
    var heading = document.createElement('h1');
    heading.textContent = document.title;
    section.parentNode.insertBefore(main, section);
    main.appendChild(heading);
    main.appendChild(section);
  }

  function name(url) {
    return url.slice(0, ours.length) === ours ? url.slice(ours.length) : url.replace(/[?#].*/, '');
  }

  function onLost(element) {
    var url = element.src || element.href || '';
    if (url.slice(0, ours.length) !== ours) return; // an extension's
    lost = lost || name(url);
    if (element.rel === 'stylesheet') report('part', lost);
    if (element.localName === 'script') report('file', lost);
  }

  function onError(event) {
    if (event.target && event.target !== window) return onLost(event.target);
    if (!event.error || (event.filename || '').slice(0, ours.length) !== ours) return; // an extension's, or a warning
    report(event.error instanceof SyntaxError ? 'browser' : 'crash', event.message);
  }

  function onRejection(event) {
    var reason = event.reason;
    if (reason instanceof Error) report('crash', reason.message);
  }

  window.addEventListener('error', onError, true);
  window.addEventListener('unhandledrejection', onRejection);
  document.addEventListener('DOMContentLoaded', function () {
    if (trouble) show(document.getElementById('trouble'));
  });
  for (var each in NEEDED) if (!NEEDED[each]) report('browser', each);
})();

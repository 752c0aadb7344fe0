// The entry sheet works without this. Arrow keys go from figure to figure as in a spreadsheet.
// Every half minute, and when the page is left, what was typed is saved as drafts; what cannot be
// saved stays in this window's own memory, so that Back and a reload show it again.
(function () {
  "use strict";
  var HALF_MINUTE = 30000;
  var form = document.getElementById("sheet-form");
  var said = document.getElementById("sheet-saved");
  var figures = Array.prototype.slice.call(form.querySelectorAll(".sheet-input input"));
  var rows = Array.prototype.slice.call(form.querySelectorAll(".sheet-row")).filter(seenOf);
  var memory = "sheet:" + form.dataset.account + ":" + location.pathname;
  var changed = {};   // rows with something that is not stored yet
  var failed = false; // whether the last attempt to save them was in vain
  var sending = false;

  function seenOf(row) { return row.querySelector("input[name$='-seen']"); }

  function fieldsOf(row) {
    return Array.prototype.filter.call(row.querySelectorAll("input, select, textarea"), function (field) {
      return field.type !== "hidden" && field.type !== "file" && field.type !== "checkbox";
    });
  }

  function textsOf(row) {
    var texts = {};
    fieldsOf(row).forEach(function (field) { texts[field.name] = field.value; });
    return texts;
  }

  function remember() {
    var kept = {};
    rows.forEach(function (row) {
      if (changed[row.id]) kept[row.id] = { seen: seenOf(row).value, texts: textsOf(row) };
    });
    try {
      if (Object.keys(kept).length) sessionStorage.setItem(memory, JSON.stringify(kept));
      else sessionStorage.removeItem(memory);
    } catch (error) { /* Without memory of its own the page is as it was. */ }
  }

  function recall() {
    var kept = {};
    try { kept = JSON.parse(sessionStorage.getItem(memory)) || {}; } catch (error) { return; }
    rows.forEach(function (row) {
      var typed = kept[row.id];
      // Another version stands there by now: what was typed was saved, or is older than that.
      if (!typed || typed.seen !== seenOf(row).value) return;
      fieldsOf(row).forEach(function (field) {
        if (field.name in typed.texts && field.value !== typed.texts[field.name]) {
          field.value = typed.texts[field.name];
          changed[row.id] = true;
        }
      });
    });
  }

  function say(text, at) { said.textContent = text.replace("{time}", at || ""); }

  function answered(sent, told) {
    rows.forEach(function (row) {
      var stored = told.rows[row.id];
      row.classList.toggle("sheet-faulty", told.faults.indexOf(row.id) >= 0);
      if (!stored) return;
      seenOf(row).value = stored.seen;
      var mark = row.querySelector(".sheet-mark");
      if (mark) mark.textContent = stored.icon + " " + stored.state;
      if (JSON.stringify(textsOf(row)) === sent[row.id]) delete changed[row.id];
    });
    say(told.faults.length ? said.dataset.faulty : said.dataset.saved, told.at);
    remember();
  }

  function save(leaving) {
    var body = new URLSearchParams();
    var sent = {};
    rows.forEach(function (row) {
      if (!changed[row.id]) return;
      var texts = textsOf(row);
      sent[row.id] = JSON.stringify(texts);
      body.append(seenOf(row).name, seenOf(row).value);
      Object.keys(texts).forEach(function (name) { body.append(name, texts[name]); });
    });
    if (sending || !Object.keys(sent).length) return;
    body.append("autosave", "1");
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    sending = true;
    fetch(location.href, { method: "POST", body: body, credentials: "same-origin", keepalive: leaving })
      .then(function (answer) {
        if (!answer.ok || answer.redirected) throw new Error(answer.status);
        return answer.json();
      })
      .then(function (told) { failed = false; answered(sent, told); })
      .catch(function () { failed = true; say(said.dataset.failed); })
      .then(function () { sending = false; });
  }

  form.addEventListener("keydown", function (event) {
    var step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    var next = figures[figures.indexOf(event.target) + step];
    if (!step || figures.indexOf(event.target) < 0 || !next) return;
    event.preventDefault();
    next.focus();
    next.select();
  });
  form.addEventListener("input", function (event) {
    var row = event.target.closest(".sheet-row");
    if (row && event.target.type !== "file") { changed[row.id] = true; remember(); }
  });
  var submitted = false;
  form.addEventListener("submit", function () { submitted = true; });
  document.addEventListener("submit", function (event) {
    // Whoever wants what is stored instead, or signs out, wants nothing remembered.
    if (event.target === form) return;
    submitted = true;
    changed = {};
    remember();
  });
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "hidden" && !submitted) save(true);
  });
  // A chosen file cannot be saved by itself, nor what the server did not take: who leaves is asked.
  window.addEventListener("beforeunload", function (event) {
    var files = Array.prototype.some.call(form.querySelectorAll("input[type=file]"), function (field) { return field.value; });
    if (submitted || !(files || failed || form.querySelector(".sheet-faulty"))) return;
    event.preventDefault();
    event.returnValue = "";
  });
  recall();
  window.setInterval(function () { if (!submitted) save(false); }, HALF_MINUTE);
})();

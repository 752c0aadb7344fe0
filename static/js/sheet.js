// The entry sheet works without this. Arrow keys go from figure to figure as in a spreadsheet,
// and whoever leaves with something typed and not saved is asked first.
(function () {
  "use strict";
  var form = document.getElementById("sheet-form");
  var figures = Array.prototype.slice.call(form.querySelectorAll(".sheet-input input"));
  var touched = false;

  form.addEventListener("keydown", function (event) {
    var step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    var next = figures[figures.indexOf(event.target) + step];
    if (!step || figures.indexOf(event.target) < 0 || !next) return;
    event.preventDefault();
    next.focus();
    next.select();
  });
  form.addEventListener("input", function () { touched = true; });
  form.addEventListener("submit", function () { touched = false; });
  window.addEventListener("beforeunload", function (event) {
    if (!touched) return;
    event.preventDefault();
    event.returnValue = "";
  });
})();

// Forms marked data-json are sent as JSON. The answer either leads to the page in data-then, or fills the
// elements marked data-shows="name" of the block that data-result names.

const problemWords = (problem) => [problem.message, problem.hint].filter(Boolean).join(" ");

const valuesOf = (form) => {
  const values = {};
  for (const field of form.querySelectorAll("input[name]")) {
    values[field.name] = field.type === "checkbox" ? field.checked : field.value;
  }
  return values;
};

const send = async (form) => {
  const response = await fetch(form.action, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(valuesOf(form)),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(problemWords(answer));
  return answer;
};

const showResult = (form, answer) => {
  const result = document.getElementById(form.dataset.result);
  for (const place of result.querySelectorAll("[data-shows]")) {
    place.textContent = place.dataset.pattern
      ? place.dataset.pattern.replaceAll("{value}", answer[place.dataset.shows])
      : answer[place.dataset.shows];
  }
  result.hidden = false;
  result.focus();
};

const submit = async (form) => {
  const alert = form.querySelector("[role=alert]");
  const button = form.querySelector("button");
  alert.textContent = "";
  button.disabled = true;
  try {
    const answer = await send(form);
    if (form.dataset.then) window.location.assign(form.dataset.then);
    else showResult(form, answer);
  } catch (error) {
    alert.textContent =
      error instanceof TypeError || error instanceof SyntaxError
        ? "The server did not answer. Please try again."
        : error.message;
  } finally {
    button.disabled = false;
  }
};

for (const form of document.querySelectorAll("form[data-json]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(form);
  });
}

// The secret of a one-time link stands behind the #, which browsers never send; it only goes out in the form.
const link = document.querySelector("input[name=link]");
if (link) {
  link.value = window.location.hash.slice(1);
  document.getElementById("no-link").hidden = link.value !== "";
  document.getElementById("join").hidden = link.value === "";
}

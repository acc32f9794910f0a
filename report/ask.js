// Asks the server that the page came from, and says why something was not done.

let news = null; // The newest moment of a fit that goes on.
let complaint = ""; // Why what was asked last was not done: to be read until something else is asked.
let asked = 0; // How often something was asked: the answer to an earlier one may come after that to the last.
let replaced = false; // Another fit has this page's address now.

function says(text) {
  const sentences = [complaint, text].filter(Boolean).join(" ");
  if (byId("live-says").textContent !== sentences) byId("live-says").textContent = sentences;
}

function nobodyAnswers() {
  complaint = "";
  says("Nobody answers. The command that served this page may have ended.");
}

async function ask(path, options) {
  const turn = ++asked;
  try {
    const answer = await fetch(path, options);
    const found = await answer.json();
    if (turn === asked) complaint = answer.ok ? "" : `Not done: ${found.error}.`;
    says(news?.says);
    return answer.ok ? found : null;
  } catch {
    nobodyAnswers();
    return null;
  }
}

// Tries patterns on a text, one message a pattern. It may never come back: whoever asked ends it.

const MOST = 1000;

onmessage = ({ data: { number, pattern, text } }) => postMessage({ number, ...tried(pattern, text) });

function tried(pattern, text) {
  try {
    const spans = [];
    for (const match of text.matchAll(new RegExp(pattern, "g"))) {
      if (match[0]) spans.push([match.index, match.index + match[0].length]);
      if (spans.length === MOST) break;
    }
    return { spans };
  } catch (error) {
    return { problem: error.message };
  }
}

postMessage({ ready: true });

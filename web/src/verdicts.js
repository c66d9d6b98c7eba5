// Verdicts in words: the code is always shown with them, colour only underlines what the text already says.

const VERDICTS = {
  AC: 'Accepted',
  WA: 'Wrong answer',
  TLE: 'Time limit exceeded',
  MLE: 'Memory limit exceeded',
  RTE: 'Run-time error',
  OLE: 'Output limit exceeded',
  CE: 'Compile error',
  JE: 'Judge error',
};

/** `Wrong answer` for `WA`; an unknown code stands for itself. */
export function verdictName(code) {
  return VERDICTS[code] ?? code ?? '';
}

/** The class that tints a verdict. */
export function verdictClass(code) {
  return `verdict verdict-${code === 'AC' ? 'good' : code === 'JE' ? 'none' : 'bad'}`;
}

const PROGRESS = { queued: 'In the queue', compiling: 'Compiling', running: 'Running tests' };

/** A submission's state in words, from the answer of GET /submissions/{id}. */
export function submissionText(submission) {
  if (submission.status !== 'finished') return PROGRESS[submission.status] ?? 'Being judged';
  const tests = submission.tests ?? [];
  const failing = tests.findIndex((test) => test.verdict && test.verdict !== 'AC');
  const place = failing >= 0 ? ` on test ${failing + 1}` : '';
  return `${verdictName(submission.verdict)}${place}`;
}

// A problem as the page shows it, read from the answer of GET /problems/{id}.

/** Title, limits, statement and samples; what the answer lacks is empty, never an error. */
export function problemOf(answer) {
  const statement = answer.statement && typeof answer.statement === 'object' ? answer.statement : {};
  const limits = answer.limits ?? {};
  return {
    id: answer.id,
    title: answer.title ?? answer.id,
    difficulty: answer.difficulty ?? null,
    topics: Array.isArray(answer.topics) ? answer.topics : [],
    html: statement.html ?? '',
    markdown: statement.markdown ?? '',
    timeLimitMs: limits.time_limit_ms ?? null,
    memoryLimitBytes: limits.memory_limit_bytes ?? null,
    samples: (Array.isArray(answer.samples) ? answer.samples : []).map((sample) => ({
      input: String(sample.input ?? ''),
      answer: String(sample.answer ?? ''),
    })),
  };
}

/** `1 s · 256 MiB`. */
export function limitsText(problem) {
  const parts = [];
  if (problem.timeLimitMs) parts.push(`${problem.timeLimitMs / 1000} s`);
  if (problem.memoryLimitBytes) parts.push(`${Math.round(problem.memoryLimitBytes / 1048576)} MiB`);
  return parts.join(' · ');
}

/** Nobody's to see or reach: tells the browser's memory of passwords whose password this is. */
export function KnownLogin({ login }: { login: string }) {
  return (
    <input
      className="vh"
      aria-hidden="true"
      tabIndex={-1}
      readOnly
      autoComplete="username"
      value={login}
    />
  );
}

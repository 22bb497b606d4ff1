/** A table of plain text, indented by two, with every column but the last as wide as its longest cell. */
export function columns(rows: string[][]): string {
  const widthOf = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widthOf(column))).join('   '))
    .map((line) => `  ${line.trimEnd()}\n`)
    .join('');
}

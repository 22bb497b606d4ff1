import type { Compilable, CompiledQuery, QueryResult } from 'kysely';
import type { Database } from './database.ts';

/** Stands in a query for a value that comes with each run. */
class Parameter {
  readonly name: PropertyKey;
  constructor(name: PropertyKey) {
    this.name = name;
  }
}

/** A query that Kysely builds and compiles once, as that takes longer than SQLite takes to run it. */
export class Prepared<Values extends object, Row> {
  readonly #compiled: CompiledQuery<Row>;

  /** `value` names the values that each run gives. */
  constructor(
    build: (value: <Name extends keyof Values>(name: Name) => Values[Name]) => Compilable<Row>,
  ) {
    this.#compiled = build((name) => new Parameter(name) as never).compile();
  }

  /** `db`: the database that the query was built for, or a transaction of it. */
  run(db: Database, values: Values): Promise<QueryResult<Row>> {
    const parameters = this.#compiled.parameters.map((parameter) =>
      parameter instanceof Parameter ? values[parameter.name as keyof Values] : parameter,
    );
    return db.executeQuery({ ...this.#compiled, parameters });
  }
}

import { suite } from '../suite.ts';

suite('{lost-database,start-faults,unsafe-environments,unwritable,workers}');

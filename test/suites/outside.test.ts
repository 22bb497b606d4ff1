import { suite } from '../suite.ts';

suite(
  '!(lost-database|start-faults|unsafe-*|unwritable|workers)',
  '{browser,commands,generators,operation}/*',
);

-- The count of an audit by DuckDB: `services/audit/recount.py`.
-- name: tables
CREATE TABLE change (question VARCHAR, area VARCHAR, marks VARCHAR, sign TINYINT);
CREATE TABLE method (
    question VARCHAR, kind VARCHAR, minimum BIGINT, maximum BIGINT, max_cost BIGINT, max_mark BIGINT,
    total BIGINT, min_total BIGINT
);
CREATE TABLE option (question VARCHAR, id VARCHAR, cost BIGINT);

-- name: judge
-- Each answer that was ever given, by how many more voters than before, its marks, and whether they are legal.
CREATE OR REPLACE TEMP TABLE answer AS
SELECT question, area, marks, sum(sign)::BIGINT AS voters
FROM change SEMI JOIN method USING (question)
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE mark AS
WITH entry AS (
    SELECT question, area, marks, voters, unnest(map_entries(json_transform(marks, '"MAP(VARCHAR, JSON)"'))) AS one
    FROM answer
)
SELECT entry.question, area, marks, voters, one.key AS option, TRY_CAST(one.value AS BIGINT) AS mark,
    option.id IS NULL OR json_type(one.value) NOT IN ('BIGINT', 'UBIGINT')
        OR TRY_CAST(one.value AS BIGINT) IS NULL AS odd,
    cost
FROM entry LEFT JOIN option ON option.question = entry.question AND option.id = one.key;

CREATE OR REPLACE TEMP TABLE legal AS
WITH summed AS (
    SELECT question, area, marks, count(*) AS marked, min(mark) AS lowest, max(mark) AS highest,
        sum(mark) AS given, count(DISTINCT mark) AS different, sum(coalesce(cost, 0)) AS cost, bool_or(odd) AS odd
    FROM mark GROUP BY question, area, marks
)
SELECT question, area, marks
FROM summed JOIN method USING (question)
WHERE NOT odd
  AND marked >= coalesce(minimum, 1)
  AND (maximum IS NULL OR marked <= maximum)
  AND CASE kind
    WHEN 'single' THEN marked = 1 AND lowest = 1 AND highest = 1
    WHEN 'approval' THEN lowest = 1 AND highest = 1 AND (max_cost IS NULL OR cost <= max_cost)
    WHEN 'ranking' THEN lowest = 1 AND highest = marked AND different = marked
    WHEN 'score' THEN lowest >= 0 AND highest <= max_mark
    WHEN 'points' THEN lowest >= 1 AND given <= total AND given >= coalesce(min_total, 1)
    WHEN 'agreement' THEN lowest >= -1 AND highest <= 1
    ELSE false
  END;

-- name: voters
SELECT question, area, sum(voters)::BIGINT
FROM answer SEMI JOIN legal USING (question, area, marks)
GROUP BY ALL;

-- name: cells
SELECT question, area, option, mark, sum(voters)::BIGINT
FROM mark SEMI JOIN legal USING (question, area, marks)
GROUP BY ALL HAVING sum(voters) <> 0;

-- name: illegal
SELECT question, area, marks FROM answer ANTI JOIN legal USING (question, area, marks);

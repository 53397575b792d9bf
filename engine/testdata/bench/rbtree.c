// N keys, whatever their order, make a red-black tree.
#include "kvfarm.h"

#ifndef N
#define N 7
#endif
#define NIL N

/* Nodes are indices into arrays; NIL is black. */
struct tree {
	uint8_t root, key[N], left[N + 1], right[N + 1], parent[N + 1];
	bool red[N + 1];
};

static void rotate(struct tree *t, uint8_t x, uint8_t *down, uint8_t *up)
{
	uint8_t y = up[x];
	up[x] = down[y];
	if (down[y] != NIL)
		t->parent[down[y]] = x;
	t->parent[y] = t->parent[x];
	if (t->parent[x] == NIL)
		t->root = y;
	else if (t->left[t->parent[x]] == x)
		t->left[t->parent[x]] = y;
	else
		t->right[t->parent[x]] = y;
	down[y] = x;
	t->parent[x] = y;
}

static void insert(struct tree *t, uint8_t n)
{
	uint8_t p = NIL;
	for (uint8_t at = t->root; at != NIL; at = t->key[n] < t->key[at] ? t->left[at] : t->right[at])
		p = at;
	t->left[n] = t->right[n] = NIL;
	t->parent[n] = p;
	t->red[n] = true;
	if (p == NIL)
		t->root = n;
	else if (t->key[n] < t->key[p])
		t->left[p] = n;
	else
		t->right[p] = n;
	while (n != t->root && t->red[t->parent[n]]) {
		uint8_t g = t->parent[t->parent[n]];
		bool on_left = t->left[g] == t->parent[n];
		uint8_t *down = on_left ? t->left : t->right, *up = on_left ? t->right : t->left;
		uint8_t uncle = up[g];
		if (t->red[uncle]) {
			t->red[t->parent[n]] = t->red[uncle] = false;
			t->red[g] = true;
			n = g;
			continue;
		}
		if (up[t->parent[n]] == n) {
			n = t->parent[n];
			rotate(t, n, down, up);
		}
		t->red[t->parent[n]] = false;
		t->red[g] = true;
		rotate(t, g, up, down);
	}
	t->red[t->root] = false;
}

/* From each node up to the root: order, no red below red, as many black ones on each way. */
static void check_tree(const struct tree *t)
{
	uint8_t height = 0;
	for (uint8_t n = 0; n < N; n++) {
		uint8_t from = n, blacks = !t->red[n];
		for (uint8_t at = t->parent[n]; at != NIL; from = at, at = t->parent[at]) {
			kvfarm_assert(t->left[at] == from ? t->key[n] <= t->key[at] : t->right[at] == from && t->key[n] >= t->key[at]);
			kvfarm_assert(!(t->red[from] && t->red[at]));
			blacks += !t->red[at];
		}
		kvfarm_assert(from == t->root);
		if (t->left[n] != NIL && t->right[n] != NIL)
			continue;
		kvfarm_assert(height == 0 || height == blacks);
		height = blacks;
	}
}

void check_rbtree(void)
{
	struct tree t = {.root = NIL};
	t.left[NIL] = t.right[NIL] = t.parent[NIL] = NIL;
	for (uint8_t i = 0; i < N; i++) {
		t.key[i] = kvfarm_any_u8();
		insert(&t, i);
	}
	check_tree(&t);
}

#include <cstdlib>
#include <iostream>

int main() {
    long long m[3], x[3], y[3];
    for (auto *row : {m, x, y}) std::cin >> row[0] >> row[1] >> row[2];
    for (long long z = 0;; z++) {
        bool fits = true;
        for (int i = 0; i < 3; i++) {
            long long apart = std::llabs(z % m[i] - x[i]);
            if (apart > y[i] && m[i] - apart > y[i]) fits = false;
        }
        if (!fits) continue;
        std::cout << z << std::endl;
        return 0;
    }
}
